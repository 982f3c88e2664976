"""New items in a run: rows for the items that training has not seen, and how well they and the others are ranked."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from prnn_cli.batching import OUTPUT, TIED
from prnn_cli.data.prepare import PreparedData
from prnn_cli.errors import UserError
from prnn_cli.features.extract import extract
from prnn_cli.features.table import FeatureTable
from prnn_cli.networks.inputs import VECTORS
from prnn_cli.networks.network import Network
from prnn_cli.networks.new_items import RIDGE, NewItems
from prnn_cli.networks.row_readers import ItemRows
from prnn_cli.schema import DatasetConfig, TrainCommand

AUTO, NONE = "auto", "none"

log = logging.getLogger(__name__)


def has_new_items(dataset: DatasetConfig) -> bool:
    """Whether the data are asked to hold items that training does not see."""
    return dataset.keep_new_items or dataset.cold_items > 0


def check_new_items(settings: TrainCommand) -> None:
    """Raises `UserError` for a fit that there is nothing to make of. Where the data have no new items, it is for later
    ones."""
    fit = settings.new_items.fit
    if fit in (AUTO, NONE):
        return
    if not settings.features.sources:
        raise UserError(
            f"new_items.fit={fit} makes rows from features, and features={settings.features.name} has none; choose "
            "features=text, image or precomputed (also for arch=id_only), or new_items.fit=none"
        )


def with_new_items(
    settings: TrainCommand,
    data: PreparedData,
    features: Mapping[str, FeatureTable],
    network: Network,
    parameters: Mapping[str, Tensor],
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The parameters, with rows for the items that training has not seen; and what metrics.json says of them.

    Nothing changes where there are none, or no features. Raises `UserError` for features that cannot be made.
    """
    fit = _fit_of(settings)
    if fit == NONE:
        return dict(parameters), {}
    tables = _all_features(settings, data, features)
    new = NewItems(list(tables.values()), data.support, settings.new_items, fit)
    unseen = int((data.support == 0).sum())
    log.info(
        "%s of %s items that training has not seen get rows from %s, by %s",
        *(f"{len(new.items):,}", f"{unseen:,}", ", ".join(tables), fit),
    )
    if not len(new.items):
        return dict(parameters), {}
    fitted = fitted_tables(network, parameters, new)
    how = {"fit": fit, "boost": settings.new_items.boost, "features": list(tables)}
    return fitted, {"new_items": how | {"items": len(new.items), "unseen": unseen}}


def fitted_tables(
    network: Network, parameters: Mapping[str, Tensor], new: NewItems, from_item: int = 0
) -> dict[str, Tensor]:
    """The parameters with fitted rows for the new items from `from_item` on, in each table of one row an item that
    clicks or scores read. A vector of an item's own (`fine_tuning_rate`) is what its features say from the start."""
    fitted = dict(parameters)
    later = new.items >= from_item
    place = torch.from_numpy(new.items[later])
    for name, kind in network.row_tables.items():
        if kind not in (OUTPUT, TIED, ItemRows.name) or name.endswith(VECTORS):
            continue
        table = parameters[name]
        rows = torch.from_numpy(new.rows(table.detach().cpu().numpy())[later])
        fitted[name] = table.clone()
        fitted[name][place.to(table.device)] = rows.to(table.device)
    return fitted


def _fit_of(settings: TrainCommand) -> str:
    fit = settings.new_items.fit
    if fit != AUTO:
        return fit
    return RIDGE if has_new_items(settings.dataset) and settings.features.sources else NONE


def _all_features(
    settings: TrainCommand, data: PreparedData, used: Mapping[str, FeatureTable]
) -> Mapping[str, FeatureTable]:
    """The tables of all sources, those that the architecture leaves alone among them."""
    if set(used) == set(settings.features.sources):
        return used
    return extract(settings.features, settings.dataset, data, Path(settings.cache_dir), "cpu")
