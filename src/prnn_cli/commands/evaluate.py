"""prnn evaluate run=DIR: a finished run's model and the baselines once more, with other settings."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from prnn_cli import schema
from prnn_cli.commands import Command
from prnn_cli.data.part_sizes import warn_of_few
from prnn_cli.errors import UserError
from prnn_cli.evaluation.methods import ChosenBaseline, compare, sessions_to_rank
from prnn_cli.evaluation.metrics import check_metrics
from prnn_cli.experiment.baselines import RankedBaselines, check_same_features
from prnn_cli.experiment.saved_model import check_saved_model, data_of, load_saved_model, stored_baselines
from prnn_cli.networks.scorer import NetworkScorer
from prnn_cli.reporting.environment import environment
from prnn_cli.reporting.results import measured, show_results, warn_of_ties, write_results
from prnn_cli.reporting.unseen import UNSEEN, measured_apart
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import EvaluateCommand, EvaluationChanges, EvaluationConfig, TrainCommand
from prnn_cli.system.hardware import device_name, select_device

log = logging.getLogger(__name__)


class Evaluate(Command):
    """The command `prnn evaluate`."""

    options = EvaluateCommand

    def check(self, settings: EvaluateCommand) -> None:
        saved = check_saved_model(settings.run)
        evaluation = changed(saved.evaluation, settings.evaluation)
        if saved.training.refit and evaluation.part == "validation":
            raise UserError(
                f"run={settings.run} was trained on its validation part too (training.refit), so that "
                "evaluation.part=validation has nothing to rank; leave it at test"
            )
        _baselines_of(settings, saved)

    def run(self, settings: EvaluateCommand, folder: RunFolder) -> None:
        device, cache_dir = select_device(settings.hardware), Path(settings.cache_dir)
        saved = load_saved_model(settings.run, device)
        data = data_of(saved, cache_dir)
        evaluation = changed(saved.settings.evaluation, settings.evaluation)
        sessions_to_rank(data, evaluation.part)
        warn_of_few(data.summary, saved.settings.dataset, evaluation.part)

        scorer = NetworkScorer(saved.network, saved.parameters)
        named = _baselines_of(settings, saved.settings)
        named.check_fits(data)
        baselines = named.chosen(data, saved.features, cache_dir, device)
        check_same_features(baselines, saved.metrics)
        _warn_of_other_options(baselines, saved.metrics)
        ranks = compare(scorer, data, evaluation, baselines, device, cache_dir)
        # Without the run's metrics, as the new ones need not be the same.
        trained_as = {
            key: value for key, value in saved.metrics.items() if "@" not in key and key not in UNSEEN
        }
        now = {"device": device_name(device)} | environment()
        results = trained_as | now | measured(ranks, evaluation, baselines, saved.metrics["gain_over"])
        results |= measured_apart(ranks, data.support, evaluation)
        warn_of_ties(results)
        write_results(folder.path, results, ranks, data.support)
        show_results(folder.path)


def _warn_of_other_options(baselines: Sequence[ChosenBaseline], metrics: Mapping[str, Any]) -> None:
    """Warns of a baseline that is ranked with other options than in the run."""
    for each in baselines:
        before = metrics["baseline_options"].get(each.name, each.settings)
        if changed := [key for key in each.settings if before.get(key) != each.settings[key]]:
            log.warning(
                "%s is ranked with other options than in the run (%s); leave baselines out for those",
                each.name,
                ", ".join(f"{key}={each.settings[key]} instead of {before.get(key)}" for key in changed),
            )


def _baselines_of(settings: EvaluateCommand, trained: TrainCommand) -> RankedBaselines:
    """Those that are asked for, else the run's own, with its features."""
    named = settings.baselines or stored_baselines(settings.run)
    return RankedBaselines.of(named, trained.features, trained.dataset)


def changed(evaluation: EvaluationConfig, changes: EvaluationChanges) -> EvaluationConfig:
    """The settings with all changes that are given, made in place. Raises `UserError` for a value out of bounds."""
    for spec in fields(changes):
        if (value := getattr(changes, spec.name)) is not None:
            setattr(evaluation, spec.name, value)
    schema.check(evaluation, "evaluation.")
    check_metrics(evaluation.metrics)
    return evaluation


COMMANDS = {"evaluate": Evaluate()}
