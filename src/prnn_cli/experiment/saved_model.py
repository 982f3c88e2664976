"""A finished run of prnn train, taken up again: its settings, its data and its network."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from prnn_cli.data.prepare import PreparedData, prepare
from prnn_cli.errors import UserError
from prnn_cli.experiment.build import build_network, check_code, check_combination, extract_used
from prnn_cli.experiment.settings import typed_settings
from prnn_cli.networks.model_file import load_model
from prnn_cli.networks.network import Network
from prnn_cli.run_folder import CONFIG, RunFolder
from prnn_cli.schema import TrainCommand


@dataclass(frozen=True)
class SavedModel:
    """A finished run: its settings and metrics, the data that it was trained on, and the network as it came out."""

    settings: TrainCommand
    metrics: dict[str, Any]
    data: PreparedData
    network: Network
    parameters: dict[str, Tensor]


def check_saved_model(run: str) -> TrainCommand:
    """The settings of the run in the folder `run`. Raises `UserError` unless prnn train finished there."""
    folder = RunFolder.existing(run, command="train")
    _finished_metrics(folder)
    settings = _stored_settings(folder)
    check_combination(settings)
    check_code(settings, folder.metrics().get("code", {}), folder.path)
    return settings


def stored_baselines(run: str) -> dict[str, Any]:
    """The typed options of the baselines that a run was compared with. Raises `UserError` for one that is not there."""
    config = RunFolder.existing(run).config()
    baselines: dict[str, Any] = typed_settings("train", config).baselines
    return baselines


def load_saved_model(run: str, cache_dir: Path, device: torch.device) -> SavedModel:
    """Takes up the run in the folder `run`, with its data from `cache_dir` and its network on `device`.

    Raises `UserError` where the run's data have changed, or its model cannot be read.
    """
    folder = RunFolder.existing(run)
    metrics, settings = _finished_metrics(folder), _stored_settings(folder)
    settings.cache_dir = str(cache_dir)
    data = prepare(settings.dataset, cache_dir)
    if data.data_hash != metrics["data_hash"]:
        raise UserError(
            f"the data of {run} have changed since it was trained: dataset.path={settings.dataset.path} no longer "
            "holds what the model knows; restore it or train again"
        )
    features = extract_used(settings, data, device)
    network = build_network(settings, data.train.num_items, features, device)
    return SavedModel(settings, metrics, data, network, load_model(folder.model_file, network, device))


def _finished_metrics(folder: RunFolder) -> dict[str, Any]:
    if not folder.metrics_file.is_file():
        raise UserError(
            f"run={folder.path} is not finished (status: {folder.status()['status']}); "
            "continue it with resume=true first"
        )
    return folder.metrics()


def _stored_settings(folder: RunFolder) -> TrainCommand:
    """The settings that the run was started with, checked against the types of this version."""
    try:
        config = folder.config()
        config.baselines = {}  # nobody who takes up the network needs those of an extension
        config.table.gain_over = None
        settings: TrainCommand = typed_settings("train", config)
    except UserError as error:
        raise UserError(
            f"the configuration in {folder.path / CONFIG} cannot be used ({error}); it may be another version's, or "
            "name what an extension adds"
        ) from error
    return settings
