"""prnn train: prepare -> train -> evaluate against the baselines -> results."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from prnn_cli.commands import Command
from prnn_cli.data.part_sizes import check_enough_to_rank
from prnn_cli.data.prepare import PreparedData, prepare
from prnn_cli.evaluation.methods import compare, sessions_to_rank
from prnn_cli.experiment.build import (
    build_trainer,
    check_code,
    check_combination,
    check_divisible,
    code_of,
    extract_used,
    features_used,
    multiplications_per_batch,
    schedule,
)
from prnn_cli.experiment.kept import keep, prepared_items
from prnn_cli.experiment.loggers import logger_observers
from prnn_cli.experiment.memory import memory_needs, refuse_too_large, shortage_explained
from prnn_cli.experiment.resume import check_more_epochs, code_before, resumed_state
from prnn_cli.experiment.selecting import check_selection, selection_of, sessions_to_validate
from prnn_cli.experiment.supervisor import EpochObserver, train_supervised
from prnn_cli.experiment.trial import trial_observers
from prnn_cli.experiment.validation import validation
from prnn_cli.features.extract import fetch_needed
from prnn_cli.features.table import FeatureTable
from prnn_cli.networks.model_file import save_model
from prnn_cli.networks.scorer import NetworkScorer
from prnn_cli.networks.summary import layout
from prnn_cli.origin import Origin
from prnn_cli.reporting.environment import environment
from prnn_cli.reporting.results import measured, show_results, warn_of_ties, write_results
from prnn_cli.reporting.tables import one_line
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import TrainCommand
from prnn_cli.system.distributed import process_group
from prnn_cli.system.files import hash_of
from prnn_cli.system.hardware import device_name, select_device, threads_for_training
from prnn_cli.training.selection import lasting, selected, shortened
from prnn_cli.training.trainer import Trainer

log = logging.getLogger(__name__)


class Train(Command):
    """The command `prnn train`."""

    options = TrainCommand

    def check(self, settings: TrainCommand) -> None:
        check_combination(settings)
        check_selection(settings)

    def check_resumed(self, settings: TrainCommand, folder: RunFolder) -> None:
        """Raises `UserError` where the checkpoint or the metrics in the folder cannot be continued."""
        if (before := code_before(folder)) is not None:
            check_code(settings, before, folder.path)
        can_grow = settings.training.select == "last"
        check_more_epochs(folder, partial(schedule, settings), settings.epochs, can_grow)

    def run(self, settings: TrainCommand, folder: RunFolder) -> None:
        check_divisible(settings.recipe.batch_size)
        if not process_group().is_main:
            train(settings, folder, [])
            return
        with logger_observers(settings, folder) as observers:
            train(settings, folder, [*trial_observers(settings.search, folder), *observers])

    def show_result(self, folder: RunFolder) -> None:
        show_results(folder.path)


def train(settings: TrainCommand, folder: RunFolder, observers: Sequence[EpochObserver]) -> None:
    """Trains, saves the model, and writes the results, all into `folder`; of several processes the first writes.

    Raises `UserError` for what cannot be trained, `RunError` where training cannot go on, `Stopped` after a signal.
    """
    device = select_device(settings.hardware)
    folder.write_status("running", stage="preparing data and features")
    fetch_needed(features_used(settings), Path(settings.cache_dir))
    data = prepare(settings.dataset, Path(settings.cache_dir))
    log.info("%s", one_line(data.summary))
    sessions_to_rank(data, settings.evaluation.part)  # refused now rather than after training
    for part in ranked_parts(settings):
        check_enough_to_rank(data.summary, settings.dataset, part)
    features = extract_used(settings, data, device)
    origin = origin_of(settings, folder, data, features)
    trainer = _trained(settings, folder, data, features, origin, device, observers)
    folder.write_status("running", stage="trained; ranking the test events")
    parameters = trainer.state.parameters
    if process_group().is_main:
        save_model(folder.model_file, parameters, origin)

    scorer = NetworkScorer(trainer.network, parameters)
    ranks = compare(scorer, data, settings.evaluation, settings.baselines, device, Path(settings.cache_dir))
    if not process_group().is_main:
        return
    results = description(settings, data, trainer, origin, device) | measured(
        ranks, settings.evaluation, settings.baselines, settings.table.gain_over
    )
    warn_of_ties(results)
    write_results(folder.path, results, ranks, data.support)
    folder.leave_checkpoints(settings.checkpoint.keep)


def ranked_parts(settings: TrainCommand) -> set[str]:
    """The parts whose ranks decide anything."""
    return {settings.evaluation.part} | ({"validation"} if settings.training.select == "best" else set())


def origin_of(
    settings: TrainCommand, folder: RunFolder, data: PreparedData, features: Mapping[str, FeatureTable]
) -> Origin:
    """The origin of the run in `folder`, whose configuration `settings` are."""
    items = hash_of(None, [prepared_items(data)])
    vectors = {source: table.content_hash for source, table in features.items()}
    return Origin.of(folder.config(), data.data_hash, items, vectors, code_of(settings))


def _trained(
    settings: TrainCommand,
    folder: RunFolder,
    data: PreparedData,
    features: Mapping[str, FeatureTable],
    origin: Origin,
    device: torch.device,
    observers: Sequence[EpochObserver],
) -> Trainer:
    """The trainer with its network trained to the end, from the folder's checkpoint on if it has one."""
    needs = memory_needs(settings, data.train.num_items, features, device)
    refuse_too_large(needs, device)
    # Validation ranks with all threads, where training takes one.
    all_threads = torch.get_num_threads()
    multiplications = multiplications_per_batch(settings, data.train.num_items)
    with shortage_explained(needs), threads_for_training(settings.hardware, multiplications):
        phases_of = partial(schedule, settings)
        state, executor = resumed_state(folder, origin, device, phases_of, settings.epochs)
        if process_group().is_main:
            keep(folder, data, features, Path(settings.cache_dir))
        trainer = build_trainer(settings, data, features, device, state, executor)
        sessions, selection = sessions_to_validate(settings, data), selection_of(settings)
        if selection and sessions and data.validation:
            log.info(
                "epochs are chosen by %s on %s of %s events of the validation part",
                selection.metric,
                f"{sessions.num_ranked:,}",
                f"{data.validation.num_ranked:,}",
            )
        validate = validation(trainer, sessions, data.support, settings.evaluation, device, all_threads)
        every_s = settings.checkpoint.every_s
        train_supervised(trainer, folder, origin, settings.epochs, every_s, validate, observers, selection)
    return trainer


def _selecting(settings: TrainCommand, data: PreparedData, trainer: Trainer) -> dict[str, Any]:
    """The part of metrics.json that says how the epochs were chosen; empty where the last ones are kept."""
    sessions, history, phases = sessions_to_validate(settings, data), trainer.state.history, trainer.phases
    if settings.training.select == "last" or sessions is None or data.validation is None:
        return {}
    trained = [number for number, _ in selected(None, phases, history)]
    return {
        "validation": {"events": sessions.num_ranked, "of": data.validation.num_ranked},
        "selecting": trainer.state.totals() | trainer.length(shortened(phases, trained)),
    }


def description(
    settings: TrainCommand, data: PreparedData, trainer: Trainer, origin: Origin, device: torch.device
) -> dict[str, Any]:
    """The part of metrics.json that says what was trained, on what, and how fast."""
    state, phases, selection = trainer.state, trainer.phases, selection_of(settings)
    rounds = [number for number, _ in selected(selection, phases, state.history)]
    return {
        "status": "done",
        "label": settings.label,
        "dataset": settings.dataset.name,
        "features": settings.features.name if features_used(settings).sources else "none",
        "arch": settings.arch.name,
        "strategy": settings.strategy.name,
        "recipe": settings.recipe.name,
        "experiment": settings.experiment,
        "row": settings.row,
        "epochs": settings.epochs,
        "select": asdict(settings.training),
        "selected_epochs": rounds,
        **_selecting(settings, data, trainer),
        "seed": settings.seed,
        "hidden_size": "+".join(str(subnet.hidden_size) for subnet in trainer.network.subnets),
        "num_parameters": sum(value.numel() for value in state.parameters.values()),
        "network": layout(trainer.network),
        "train": replace(state, history=lasting(selection, phases, state.history)).totals()
        | trainer.length(shortened(phases, rounds))
        | {"executor": trainer.executor.used, "processes": process_group().world_size},
        "device": device_name(device),
        "data_hash": data.data_hash,
        "origin": origin.as_json(),
        "data": data.summary,
        **environment(),
    }


COMMANDS = {"train": Train()}
