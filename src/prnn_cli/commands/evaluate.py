"""prnn evaluate run=DIR: a finished run's model and the baselines once more, with other settings."""

from dataclasses import fields
from pathlib import Path

from prnn_cli import schema
from prnn_cli.evaluation.methods import compare, sessions_to_rank
from prnn_cli.experiment.saved_model import check_trained, load_trained
from prnn_cli.networks.scorer import NetworkScorer
from prnn_cli.reporting.environment import environment
from prnn_cli.reporting.results import measured, show_results, warn_of_ties, write_results
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import EvaluateCommand, EvaluationChanges, EvaluationConfig
from prnn_cli.system.hardware import device_name, select_device

WRITES = True


def check(config: EvaluateCommand) -> None:
    changed(check_trained(config.run).evaluation, config.evaluation)


def run(config: EvaluateCommand, folder: RunFolder) -> None:
    device, cache_dir = select_device(config.hardware), Path(config.cache_dir)
    trained = load_trained(config.run, cache_dir, device)
    evaluation = changed(trained.config.evaluation, config.evaluation)
    sessions_to_rank(trained.data, evaluation.part)

    scorer = NetworkScorer(trained.network, trained.parameters)
    ranks = compare(scorer, trained.data, evaluation, device, cache_dir)
    trained_as = {
        key: value for key, value in trained.metrics.items() if "@" not in key
    }  # other cut-offs may be asked for
    results = trained_as | {"device": device_name(device)} | environment() | measured(ranks, evaluation)
    warn_of_ties(results)
    write_results(folder.path, results, ranks, trained.data.support)
    show_results(folder.path)


def changed(evaluation: EvaluationConfig, changes: EvaluationChanges) -> EvaluationConfig:
    for spec in fields(changes):
        if (value := getattr(changes, spec.name)) is not None:
            setattr(evaluation, spec.name, value)
    schema.check(evaluation, "evaluation.")
    return evaluation
