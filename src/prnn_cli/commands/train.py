"""prnn train: prepare -> train -> evaluate against the baselines -> results."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from prnn_cli.commands import Command
from prnn_cli.data.prepare import PreparedData
from prnn_cli.data.sessions import Sessions
from prnn_cli.data.source_files import check_files
from prnn_cli.evaluation.methods import compare
from prnn_cli.experiment.build import (
    baselines_of,
    build_trainer,
    check_code,
    check_combination,
    check_divisible,
    features_used,
    multiplications_per_batch,
    schedule,
    warn_of_bounded_scores,
)
from prnn_cli.experiment.forecast import forecast, told
from prnn_cli.experiment.foresight import Foresight
from prnn_cli.experiment.kept import keep
from prnn_cli.experiment.loggers import logger_observers
from prnn_cli.experiment.material import Material, material_of, material_of_refit
from prnn_cli.experiment.memory import memory_needs, refuse_too_large, shortage_explained, tell_memory
from prnn_cli.experiment.new_items import check_new_items, has_new_items, with_new_items
from prnn_cli.experiment.ranked_alone import check_method, method_searched, rank_alone
from prnn_cli.experiment.refit import Refit, refit_before, refit_of
from prnn_cli.experiment.resume import check_more_epochs, code_before, resumed_state
from prnn_cli.experiment.selecting import (
    check_selection,
    description_of_selecting,
    selection_of,
    sessions_to_validate,
)
from prnn_cli.experiment.supervisor import EpochObserver, train_supervised
from prnn_cli.experiment.trial import trial_observers
from prnn_cli.experiment.validation import seconds_of_ranking, validation
from prnn_cli.experiment.weighing import check_weights, chosen_weights, final_network, warn_of_no_choice
from prnn_cli.features.extract import fetch_needed
from prnn_cli.networks.model_file import save_model
from prnn_cli.networks.network import Network
from prnn_cli.networks.scorer import NetworkScorer
from prnn_cli.networks.summary import layout
from prnn_cli.reporting.environment import environment
from prnn_cli.reporting.results import measured, show_results, warn_of_ties, write_results
from prnn_cli.reporting.terminal import say
from prnn_cli.reporting.unseen import measured_apart
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import TrainCommand
from prnn_cli.system.distributed import process_group
from prnn_cli.system.files import write_json
from prnn_cli.system.hardware import device_name, select_device, threads_for_training
from prnn_cli.training.divergence import DivergedError, lowered
from prnn_cli.training.selection import Selection, lasting, selected, shortened
from prnn_cli.training.trainer import Trainer

log = logging.getLogger(__name__)


class Train(Command):
    """The command `prnn train`."""

    options = TrainCommand

    def check(self, settings: TrainCommand) -> None:
        check_files(settings.dataset)
        check_combination(settings)
        check_selection(settings)
        check_weights(settings)
        check_method(settings)
        check_new_items(settings)

    def check_resumed(self, settings: TrainCommand, folder: RunFolder) -> None:
        """Raises `UserError` where the checkpoint or the metrics in the folder cannot be continued."""
        if (before := code_before(folder)) is not None:
            check_code(settings, before, folder.path)
        can_grow = settings.training.select == "last"
        check_more_epochs(folder, partial(schedule, settings), settings.epochs, can_grow)

    def run(self, settings: TrainCommand, folder: RunFolder) -> None:
        if settings.plan:
            tell_forecast(settings)
            return
        if (method := method_searched(settings)) is not None:
            rank_alone(settings, folder, method)
            return
        check_divisible(settings.recipe.batch_size)
        if not process_group().is_main:
            train(settings, folder, [])
            return
        with logger_observers(settings, folder) as observers:
            train(settings, folder, [*trial_observers(settings.search, folder), *observers])

    def show_result(self, folder: RunFolder) -> None:
        show_results(folder.path)


def tell_forecast(settings: TrainCommand) -> None:
    """Prints what the run will take, and writes it to a file where `plan` names one."""
    expected = forecast(settings)
    for line in told(expected):
        say(line)
    if settings.plan is not True:
        write_json(Path(settings.plan), expected.as_json())


def train(settings: TrainCommand, folder: RunFolder, observers: Sequence[EpochObserver]) -> None:
    """Trains, saves the model, and writes the results, all into `folder`; of several processes the first writes.

    Raises `UserError` for what cannot be trained, `RunError` where training cannot go on, `Stopped` after a signal.
    """
    device = select_device(settings.hardware)
    folder.write_status("running", stage="preparing data and features")
    warn_of_bounded_scores(settings.recipe)
    warn_of_no_choice(settings)
    cache_dir = Path(settings.cache_dir)
    for needed in (features_used(settings), baselines_of(settings).features):
        fetch_needed(needed, cache_dir)
    trained = _trained(settings, folder, device, observers)
    folder.write_status("running", stage="trained; ranking the test events")
    data = trained.material.data
    network = final_network(settings, trained.trainer, trained.weights)
    parameters, of_new_items = with_new_items(
        settings, data, trained.material.features, network, trained.trainer.state.parameters
    )
    if process_group().is_main:
        save_model(folder.model_file, parameters, trained.material.origin)

    scorer = NetworkScorer(network, parameters)
    baselines = trained.material.baselines
    ranks = compare(scorer, data, settings.evaluation, baselines, device, cache_dir)
    if not process_group().is_main:
        return
    results = description(settings, trained, network, device) | measured(
        ranks, settings.evaluation, baselines, settings.table.gain_over
    )
    apart = measured_apart(ranks, data.support, settings.evaluation)
    if has_new_items(settings.dataset) and not apart:
        part = settings.evaluation.part
        log.warning("no item that training has not seen is clicked in the %s part: no cold metrics", part)
    results |= of_new_items | apart
    left_out = baselines_of(settings).left_out
    results |= {"baselines_left_out": left_out} if left_out else {}
    warn_of_ties(results)
    write_results(folder.path, results, ranks, data.support)
    folder.leave_checkpoints(settings.checkpoint.keep)


@dataclass(frozen=True)
class Trained:
    """A trainer that has trained to the end, on what, the refit that it was, if it was one, how its epochs were chosen,
    as metrics.json says it, and the subnets' weights that were."""

    trainer: Trainer
    material: Material
    refit: Refit | None
    selecting: dict[str, Any]
    weights: dict[str, float]


def _trained(
    settings: TrainCommand, folder: RunFolder, device: torch.device, observers: Sequence[EpochObserver]
) -> Trained:
    """Trains, and where that was to choose the epochs, once more; a run that has begun goes on where it was."""
    material = material_of(settings, folder, device)
    refit = begun = refit_before(folder) if settings.training.refit else None
    while True:
        if refit:
            material = material_of_refit(settings, folder, material)
        # What a new refit finds in the folder is of the training before it.
        goes_on = refit is begun
        trainer = _attempt(settings, folder, material, device, observers, refit, goes_on)
        if refit:
            return Trained(trainer, material, refit, refit.described, refit.weights)
        if settings.arch.weights:
            folder.write_status("running", stage="trained; choosing the subnets' weights")
        weights = chosen_weights(settings, material.data, trainer, device)
        selecting = description_of_selecting(settings, material.data, trainer) | weights.described
        if not settings.training.refit:
            return Trained(trainer, material, None, selecting, weights.chosen)
        refit = refit_of(settings, trainer, selecting, weights.chosen)
        del trainer  # before the next one takes as much memory


def _attempt(
    settings: TrainCommand,
    folder: RunFolder,
    material: Material,
    device: torch.device,
    observers: Sequence[EpochObserver],
    refit: Refit | None,
    goes_on: bool,
) -> Trainer:
    """The trainer that has trained to the end; where it `goes_on`, from the folder's checkpoint, if there is one."""
    data, features = material.data, material.features
    needs = memory_needs(settings, data.train.num_items, features, device)
    refuse_too_large(needs, device)
    tell_memory(needs)
    # Validation ranks with all threads, where training takes one.
    all_threads = torch.get_num_threads()
    multiplications = multiplications_per_batch(settings, data.train.num_items)
    with shortage_explained(needs), threads_for_training(settings.hardware, multiplications):
        phases_of = partial(schedule, settings)
        sessions, selection = sessions_to_validate(settings, data), None if refit else selection_of(settings)
        _tell(data, sessions, selection, refit)
        state, executor, rate_factor = (
            resumed_state(folder, material.origin, device, phases_of, settings.epochs)
            if goes_on or refit is None
            else (None, None, refit.rate_factor)
        )
        if process_group().is_main:
            keep(folder, data, features, Path(settings.cache_dir))
        phases = phases_of(settings.epochs)
        phases = refit.phases(phases) if refit else phases
        every_s = settings.checkpoint.every_s
        while True:
            trainer = build_trainer(settings, data, features, device, state, executor, phases, rate_factor)
            validate = validation(trainer, sessions, data.support, settings.evaluation, device, all_threads)
            try:
                train_supervised(
                    trainer,
                    folder,
                    material.origin,
                    settings.epochs,
                    every_s,
                    validate,
                    observers,
                    selection,
                    refit,
                    Foresight(
                        trainer,
                        partial(seconds_of_ranking, trainer, data, settings.evaluation, device, all_threads),
                    ),
                )
                return trainer
            except DivergedError as error:
                rate_factor = lowered(rate_factor, error, may_lower(settings))
                state = None  # anew, also where it went on from a checkpoint


def may_lower(settings: TrainCommand) -> bool:
    """Whether a run that diverges begins anew at lower rates; a trial of a search stands for the rates it was given."""
    is_trial = settings.search is not None and settings.search.trial is not None
    return settings.training.on_divergence == "lower" and not is_trial


def _tell(
    data: PreparedData, sessions: Sessions | None, selection: Selection | None, refit: Refit | None
) -> None:
    """Says how epochs are chosen, or for how many a refit trains."""
    if selection and sessions and data.validation:
        log.info(
            "epochs are chosen by %s on %s of %s events of the validation part",
            selection.metric,
            f"{sessions.num_ranked:,}",
            f"{data.validation.num_ranked:,}",
        )
    if refit:
        rounds = "+".join(map(str, refit.rounds))
        log.info("trained anew on training + validation part, for the chosen epochs: %s", rounds)


def description(
    settings: TrainCommand, trained: Trained, network: Network, device: torch.device
) -> dict[str, Any]:
    """The part of metrics.json that says what was trained, on what, and how fast."""
    trainer, data, refit = trained.trainer, trained.material.data, trained.refit
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
        **trained.selecting,
        "rate_factor": trainer.rate_factor,
        "seed": settings.seed,
        "hidden_size": "+".join(str(subnet.hidden_size) for subnet in network.subnets),
        "num_parameters": sum(value.numel() for value in trainer.state.parameters.values()),
        "network": layout(network),
        **_training(settings, trainer, refit),
        "device": device_name(device),
        "data_hash": data.data_hash,
        "origin": trained.material.origin.as_json(),
        "data": data.summary,
        **environment(),
    }


def _training(settings: TrainCommand, trainer: Trainer, refit: Refit | None) -> dict[str, Any]:
    """How long the final parameters were trained, and at what speed."""
    phases, state, selection = trainer.phases, trainer.state, None if refit else selection_of(settings)
    kept = [number for number, _ in selected(selection, phases, state.history)]
    return {
        "selected_epochs": refit.rounds if refit else kept,
        "train": replace(state, history=lasting(selection, phases, state.history)).totals()
        | trainer.length(shortened(phases, kept))
        | {"executor": trainer.executor.used, "processes": process_group().world_size},
    }


COMMANDS = {"train": Train()}
