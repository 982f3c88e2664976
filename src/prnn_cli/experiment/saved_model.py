"""A finished run of prnn train, taken up again: its settings, its data and its network."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from prnn_cli.data.prepare import PreparedData, prepare
from prnn_cli.errors import UserError
from prnn_cli.experiment.build import build_network, check_combination, extract_used
from prnn_cli.experiment.settings import typed_settings
from prnn_cli.networks.model_file import load_model
from prnn_cli.networks.network import Network
from prnn_cli.run_folder import CONFIG, RunFolder
from prnn_cli.schema import TrainCommand


@dataclass(frozen=True)
class Trained:
    """A finished run: its settings and metrics, the data that it was trained on, and the network as it came out."""

    config: TrainCommand
    metrics: dict[str, Any]
    data: PreparedData
    network: Network
    parameters: dict[str, Tensor]


def check_trained(run: str) -> TrainCommand:
    """The settings of the run in the folder `run`. Raises `UserError` unless prnn train finished there."""
    folder = RunFolder.existing(run, command="train")
    _finished_metrics(folder)
    config = _stored_config(folder)
    check_combination(config)
    return config


def load_trained(run: str, cache_dir: Path, device: torch.device) -> Trained:
    """Takes up the run in the folder `run`, with its data from `cache_dir` and its network on `device`.

    Raises `UserError` where the run's data have changed, or its model cannot be read.
    """
    folder = RunFolder.existing(run)
    metrics, config = _finished_metrics(folder), _stored_config(folder)
    config.cache_dir = str(cache_dir)
    data = prepare(config.dataset, cache_dir)
    if data.data_hash != metrics["data_hash"]:
        raise UserError(
            f"the data of {run} have changed since it was trained: dataset.path={config.dataset.path} no longer holds "
            "what the model knows; restore it or train again"
        )
    features = extract_used(config, data, device)
    network = build_network(config, data.train.num_items, features, device)
    return Trained(config, metrics, data, network, load_model(folder.model_file, network, device))


def _finished_metrics(folder: RunFolder) -> dict[str, Any]:
    if not folder.metrics_file.is_file():
        raise UserError(
            f"run={folder.path} is not finished (status: {folder.status()['status']}); "
            "continue it with resume=true first"
        )
    return folder.metrics()


def _stored_config(folder: RunFolder) -> TrainCommand:
    """The configuration of the run, checked against today's types."""
    try:
        config: TrainCommand = typed_settings("train", folder.config())
    except UserError as error:
        raise UserError(
            f"the configuration in {folder.path / CONFIG} cannot be used ({error}); it may be another version's, or "
            "name what an extension adds"
        ) from error
    return config
