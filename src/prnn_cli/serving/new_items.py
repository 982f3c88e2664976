"""A finished run with items that it was not trained on: their features read, their rows fitted.

The file of new items is read as the run's table of items was: by the same columns, texts, and patterns of images; with
features=precomputed it is a file of vectors with their ids.
"""

import dataclasses
import logging
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.sparse import csr_array, vstack
from torch import Tensor

from prnn_cli.data.known_items import KnownItems
from prnn_cli.errors import UserError
from prnn_cli.experiment.build import build_network, weighted
from prnn_cli.experiment.new_items import fitted_tables
from prnn_cli.experiment.saved_model import SavedModel
from prnn_cli.extensions import chosen
from prnn_cli.features.image_extractor import ImageExtractor
from prnn_cli.features.items import ItemCatalogue
from prnn_cli.features.table import FeatureTable, Vectors
from prnn_cli.features.vector_files import read_matrix
from prnn_cli.networks.inputs import VECTORS
from prnn_cli.networks.new_items import RIDGE, NewItems
from prnn_cli.schema import DatasetConfig, FeaturesConfig, NewItemsConfig, PropertiesConfig

PRECOMPUTED = "precomputed"

log = logging.getLogger(__name__)


def with_new_items(saved: SavedModel, path: str, boost: float | None = None) -> SavedModel:
    """The run with the items of the file `path` behind those that it knows, which stay as they are.

    boost: how far the new rows lie from the mean row; None: as the run's new_items.boost says
    Items that no feature describes are left out, with a warning; a file without new items changes nothing.
    Raises `UserError` for a file that cannot be read, or of which no item has any feature, and for a run that keeps no
    vectors of its items.
    """
    if not saved.features:
        raise UserError(
            f"new_items={path} needs the vectors of the items that were trained, and this run keeps none "
            f"(arch={saved.settings.arch.name} ignores features); train one that reads them, such as arch=parallel"
        )
    how = saved.settings.features.sources
    if saved.settings.features.placebo:
        raise UserError(
            f"new_items={path}: the features of this run are a placebo, which tells nothing of new items"
        )
    if len(saved.features) > 1 and PRECOMPUTED in [how[name] for name in saved.features]:
        raise UserError(
            f"new_items={path} would have to hold vectors and {' and '.join(set(how) - {PRECOMPUTED})} at once; a run "
            "takes new items where all its features are read from a table of items, or all are precomputed"
        )
    source = _Source.of(saved, path)
    new_ids = source.ids[~np.isin(source.ids.astype(str), saved.items.item_ids.astype(str))]
    if known := len(source.ids) - len(new_ids):
        log.info("%d items of %s are known already, and stay as they are", known, path)
    if not len(new_ids):
        log.warning("%s describes no item that the model does not know already: nothing is added", path)
        return saved
    tables = {name: source.table(name, new_ids) for name in saved.features}
    described = np.any([table.covered for table in tables.values()], axis=0)
    if not described.any():
        raise UserError(
            f"new_items={path}: none of its {len(new_ids)} new items has any feature "
            f"({', '.join(tables)}) that the model knows; it would have nothing to go by"
        )
    if not described.all():
        log.warning(
            "%d of the %d new items have no feature that the model knows, and are left out",
            *(int((~described).sum()), len(new_ids)),
        )
    fit = saved.settings.new_items
    fit = fit if boost is None else dataclasses.replace(fit, boost=boost)
    return _extended(saved, new_ids[described], tables, described, fit)


def _nothing_of(table: FeatureTable, number: int) -> FeatureTable:
    """A table of as many items of which it says nothing."""
    shape = (number, table.size)
    vectors: Any = (
        csr_array(shape, dtype=np.float32) if table.is_sparse else np.zeros(shape, table.vectors.dtype)
    )
    return FeatureTable(table.name, vectors, np.zeros(number, dtype=bool))


@dataclasses.dataclass(frozen=True)
class _Source:
    """A file of new items. ids: all that it describes; dataset, features: with the file in place of the run's own"""

    ids: np.ndarray
    dataset: DatasetConfig
    features: FeaturesConfig
    saved: SavedModel

    @classmethod
    def of(cls, saved: SavedModel, path: str) -> "_Source":
        file = Path(path).expanduser()
        if not file.is_file():
            raise UserError(f"new_items={path} is not there; give a file that describes new items")
        settings = saved.settings
        if PRECOMPUTED in settings.features.sources.values():
            _, ids = read_matrix(file)
            if ids is None:
                raise UserError(
                    f"new_items={path} has no item ids beside its vectors; give a Parquet file with item_id and the "
                    "vectors, as features.precomputed.path takes"
                )
            precomputed = dataclasses.replace(settings.features.precomputed, path=path, item_ids=None)
            features = dataclasses.replace(settings.features, precomputed=precomputed)
            return cls(pd.unique(np.array(ids, dtype=object)), settings.dataset, features, saved)
        items = dataclasses.replace(settings.dataset.items, path=path)
        how = [settings.features.sources[name] for name in saved.features]
        reads_images = [issubclass(chosen("EXTRACTORS", each, "features"), ImageExtractor) for each in how]
        if not any(reads_images):
            items = dataclasses.replace(items, image=None, image_pattern=None)
        if all(reads_images):
            items = dataclasses.replace(
                items, text=[], properties=PropertiesConfig(None, None, None, None, None)
            )
        dataset = dataclasses.replace(settings.dataset, items=items, synthetic=None, profile=None, scale=None)
        table = ItemCatalogue(dataset, np.array([], dtype=object)).table
        return cls(table["item_id"].to_pandas().to_numpy(dtype=object), dataset, settings.features, saved)

    def table(self, name: str, ids: np.ndarray) -> FeatureTable:
        """The vectors of some of its items."""
        how, trained = self.features.sources[name], self.saved.features[name]
        extractor = chosen("EXTRACTORS", how, "features.sources")(
            self.features, ItemCatalogue(self.dataset, ids).seen_by(name), torch.device("cpu")
        )
        vectors: Any
        try:
            if hasattr(extractor, "extract_new"):
                vectors, covered = extractor.extract_new(trained.fitted)
            else:
                with TemporaryDirectory(prefix="prnn-") as folder:
                    vectors, covered = extractor.extract(Path(folder) / "parts")
        except UserError as error:
            if len(self.saved.features) == 1:
                raise
            log.warning("no new item has any %s: %s", name, error)
            return _nothing_of(trained, len(ids))
        if vectors.shape[1] != trained.size:
            raise UserError(
                f"the vectors of {name} of the new items have {vectors.shape[1]} values, and those of the run's "
                f"{trained.size}; make them in the same way"
            )
        return FeatureTable(name, vectors, covered)


def _extended(
    saved: SavedModel,
    new_ids: np.ndarray,
    tables: dict[str, FeatureTable],
    described: np.ndarray,
    how: NewItemsConfig,
) -> SavedModel:
    item_ids = np.append(saved.items.item_ids, new_ids)
    support = np.append(saved.items.support, np.zeros(len(new_ids), dtype=np.int64))
    features = {name: _joined(saved.features[name], tables[name], described) for name in tables}
    device = next(iter(saved.parameters.values())).device
    network = build_network(saved.settings, len(item_ids), features, device)
    network = weighted(network, saved.settings, saved.metrics.get("weights", {}))
    parameters = _with_room(saved.parameters, network.parameters_without_values(), features)
    # Rows that the run itself has fitted, of items that training had not seen, stay as they are.
    rows = NewItems(list(features.values()), support, how, RIDGE if how.fit in ("auto", "none") else how.fit)
    first = len(saved.items.item_ids)
    return dataclasses.replace(
        saved,
        items=KnownItems(item_ids, support),
        features=features,
        network=network,
        parameters=fitted_tables(network, parameters, rows, from_item=first),
    )


def _joined(trained: FeatureTable, new: FeatureTable, described: np.ndarray) -> FeatureTable:
    covered = np.append(trained.covered, new.covered[described])
    return FeatureTable(
        trained.name, _stacked(trained.vectors, new.vectors[described]), covered, "", trained.fitted
    )


def _stacked(first: Vectors, then: Vectors) -> Vectors:
    if isinstance(first, csr_array):
        stacked: Any = vstack([first, csr_array(then)], format="csr")
        return csr_array(stacked)
    return np.concatenate([first, np.asarray(then, dtype=first.dtype)])


def _with_room(
    parameters: Mapping[str, Tensor], shapes: Mapping[str, Tensor], features: Mapping[str, FeatureTable]
) -> dict[str, Tensor]:
    """The parameters with rows for the new items, zeros, in the tables of items; vectors that learn begin as features
    are."""
    found = {}
    for name, value in parameters.items():
        number = shapes[name].shape[0] - value.shape[0]
        more = value.new_zeros(number, *value.shape[1:])
        if number and name.endswith(VECTORS):
            source = name.removesuffix(VECTORS).rpartition(".")[2]
            more = torch.from_numpy(np.asarray(features[source].vectors[-number:])).to(value)
        found[name] = torch.cat([value, more]) if number else value
    return found
