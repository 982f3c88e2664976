"""prnn evaluate run=DIR: a finished run's model and the baselines once more, with other settings."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from prnn_cli import schema
from prnn_cli.build import build_network, check_combination, extract_used
from prnn_cli.data.prepare import prepare
from prnn_cli.errors import UserError
from prnn_cli.evaluation.comparison import compare, sessions_to_rank
from prnn_cli.hardware import device_name, select_device
from prnn_cli.networks.model_file import load_model
from prnn_cli.networks.scorer import NetworkScorer
from prnn_cli.reporting.results import environment, measured, show_results, warn_of_ties, write_results
from prnn_cli.run_folder import CONFIG, RunFolder, read_json
from prnn_cli.schema import EvaluateCommand, EvaluationChanges, EvaluationConfig, TrainCommand

WRITES = True


def check(config: EvaluateCommand) -> None:
    trained = RunFolder.existing(config.run, command="train")
    finished_metrics(trained)
    train_config = stored_config(trained)
    check_combination(train_config)
    changed(train_config.evaluation, config.evaluation)


def run(config: EvaluateCommand, folder: RunFolder) -> None:
    trained = RunFolder.existing(config.run)
    before = finished_metrics(trained)
    train_config = stored_config(trained)
    evaluation = changed(train_config.evaluation, config.evaluation)
    device = select_device(config.hardware)
    data = prepare(train_config.dataset, Path(config.cache_dir))
    if data.data_hash != before["data_hash"]:
        raise UserError(
            f"the data of {config.run} have changed since it was trained: dataset.path="
            f"{train_config.dataset.path} no longer holds what the model knows; restore it or train again"
        )
    sessions_to_rank(data, evaluation.part)

    features = extract_used(train_config, data, device)
    network = build_network(train_config, data.train.num_items, features, device)
    parameters = load_model(trained.model_file, network, device)
    ranks = compare(NetworkScorer(network, parameters), data, evaluation, device, Path(config.cache_dir))
    trained_as = {
        key: value for key, value in before.items() if "@" not in key
    }  # other cut-offs may be asked for
    results = trained_as | {"device": device_name(device)} | environment() | measured(ranks, evaluation)
    warn_of_ties(results)
    write_results(folder.path, results, ranks, data.support)
    show_results(folder.path)


def finished_metrics(trained: RunFolder) -> dict[str, Any]:
    if not trained.metrics_file.is_file():
        raise UserError(
            f"run={trained.path} is not finished (status: {trained.status()['status']}); "
            "continue it with resume=true first"
        )
    return read_json(trained.metrics_file)


def stored_config(trained: RunFolder) -> TrainCommand:
    """The configuration of the run, checked against today's types."""
    try:
        config = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(TrainCommand), trained.config()))
    except (OmegaConfBaseException, YAMLError, OSError) as error:
        raise UserError(
            f"the configuration in {trained.path / CONFIG} cannot be read ({str(error).splitlines()[0]}); "
            "it may be another version's: train the run again"
        ) from error
    assert isinstance(config, TrainCommand)
    return config


def changed(evaluation: EvaluationConfig, changes: EvaluationChanges) -> EvaluationConfig:
    for spec in fields(changes):
        if (value := getattr(changes, spec.name)) is not None:
            setattr(evaluation, spec.name, value)
    schema.check(evaluation, "evaluation.")
    return evaluation
