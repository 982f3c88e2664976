"""A finished run of prnn train, taken up again from its own folder, without its log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from prnn_cli.data.known_items import KnownItems
from prnn_cli.data.prepare import PreparedData, prepare, prepared_before
from prnn_cli.errors import UserError
from prnn_cli.experiment.build import build_network, check_code, check_combination, features_used, weighted
from prnn_cli.experiment.kept import kept_features, kept_items
from prnn_cli.experiment.refit import whole
from prnn_cli.experiment.settings import typed_settings, with_new_options
from prnn_cli.features.table import FeatureTable
from prnn_cli.networks.model_file import load_model
from prnn_cli.networks.network import Network
from prnn_cli.origin import Origin
from prnn_cli.run_folder import CONFIG, RunFolder
from prnn_cli.schema import TrainCommand


@dataclass(frozen=True)
class SavedModel:
    """A finished run: its settings and metrics, the items that it knows, the vectors that it reads by source, and the
    network as it came out."""

    settings: TrainCommand
    metrics: dict[str, Any]
    origin: Origin
    items: KnownItems
    features: dict[str, FeatureTable]
    network: Network
    parameters: dict[str, Tensor]


def check_saved_model(run: str) -> TrainCommand:
    """The settings of the run in the folder `run`. Raises `UserError` unless prnn train finished there."""
    folder = RunFolder.existing(run, command="train")
    metrics = _finished_metrics(folder)
    settings = _stored_settings(folder)
    check_combination(settings)
    check_code(settings, origin_of_run(folder, metrics).code, folder.path)
    return settings


def stored_baselines(run: str, names: Sequence[str] | None = None) -> dict[str, Any]:
    """The typed options of the baselines that a run was compared with, or of those of these names.

    Raises `UserError` for one that is not there.
    """
    config = RunFolder.existing(run).config()
    if names is not None:
        config.baselines = {name: config.baselines[name] for name in names}
    baselines: dict[str, Any] = typed_settings("train", with_new_options("train", config)).baselines
    return baselines


def load_saved_model(run: str, device: torch.device) -> SavedModel:
    """Takes up the run in the folder `run`, with its network on `device`.

    Raises `UserError` where one of its files is damaged, or of another run.
    """
    folder = RunFolder.existing(run)
    metrics, settings = _finished_metrics(folder), _stored_settings(folder)
    origin = origin_of_run(folder, metrics)
    items = kept_items(folder, origin)
    features = kept_features(folder, origin, features_used(settings).sources)
    network = build_network(settings, len(items.item_ids), features, device)
    network = weighted(network, settings, metrics.get("weights", {}))
    return SavedModel(
        settings,
        metrics,
        origin,
        items,
        features,
        network,
        load_model(folder.model_file, network, origin, device),
    )


def data_of(saved: SavedModel, cache_dir: Path) -> PreparedData:
    """The prepared data that a run was trained on: from the cache if they are there, else from the log.

    Raises `UserError` where the log is no longer what it was.
    """
    data_hash, dataset = saved.origin.data, saved.settings.dataset
    if saved.settings.training.refit:
        dataset = whole(dataset)
    try:
        data = prepared_before(data_hash, cache_dir) or prepare(dataset, cache_dir)
    except UserError as error:
        raise UserError(
            f"the cache {cache_dir} no longer holds the data that the model was trained and tested on, and their log "
            f"cannot be read ({error}); restore one of them (prnn recommend needs neither, unless with method=…)"
        ) from error
    if data.data_hash != data_hash:
        raise UserError(
            f"the data have changed since the model was trained: dataset.path={dataset.path} no longer holds what it "
            "was trained and tested on, and the cache neither; restore it or train again (prnn recommend needs no log, "
            "unless with method=…)"
        )
    return data


def origin_of_run(folder: RunFolder, metrics: Mapping[str, Any]) -> Origin:
    """The origin of a finished run. Raises `UserError` where its metrics are not those of its configuration."""
    return Origin.of_result(metrics, folder.config(), folder.metrics_file)


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
        settings: TrainCommand = typed_settings("train", with_new_options("train", config))
    except UserError as error:
        raise UserError(
            f"the configuration in {folder.path / CONFIG} cannot be used ({error}); it may be another version's, or "
            "name what an extension adds"
        ) from error
    return settings
