"""Features of the prepared items, made once and cached under a hash of the settings and of what was read."""

import logging
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import torch

from prnn_cli.data.prepare import PreparedData, with_files
from prnn_cli.errors import UserError
from prnn_cli.extensions import chosen, fingerprint_of
from prnn_cli.features.extractor import Extractor
from prnn_cli.features.items import ItemCatalogue
from prnn_cli.features.placebo import Placebo
from prnn_cli.features.source_vectors import seen_by
from prnn_cli.features.table import FeatureTable
from prnn_cli.schema import DatasetConfig, FeaturesConfig
from prnn_cli.system.cache import Identity, load_arrays, load_or_make, save_arrays

FORMAT_VERSION = 6  # part of the hash: raise it with every change of what is extracted or written
VECTORS = "vectors.safetensors"

log = logging.getLogger(__name__)


def check_features(features: FeaturesConfig, dataset: DatasetConfig) -> None:
    """Raises `UserError` for settings that no features can be made of; reads nothing."""
    for name, how in features.sources.items():
        extractor: type[Extractor] = chosen("EXTRACTORS", how, f"features.sources.{name}")
        extractor.check(features, seen_by(name, dataset))


def fetch_needed(features: FeaturesConfig, cache_dir: Path) -> None:
    """Has the extractors fetch what they need from elsewhere, before the log is read for them.

    Raises `UserError` for what cannot be had, unless the cache has vectors, which may be all that is needed.
    """
    try:
        for how in features.sources.values():
            if fetch := getattr(chosen("EXTRACTORS", how, "features.sources"), "fetch", None):
                fetch(features)
    except UserError:
        if not any((cache_dir / "features").glob(f"*/{VECTORS}")):
            raise


def extract(
    features: FeaturesConfig,
    dataset: DatasetConfig,
    data: PreparedData,
    cache_dir: Path,
    device: torch.device | str,
) -> dict[str, FeatureTable]:
    """The table of each of `features.sources`, keyed by the subnet that it feeds; from the cache where it is there.

    `device` is for extractors that compute on one. Raises `UserError` for what cannot be made into vectors.
    """
    check_features(features, dataset)
    catalogue = catalogue_of(dataset, data, cache_dir)
    tables = {}
    for name, how in features.sources.items():
        make = chosen("EXTRACTORS", how, "features.sources")
        extractor = make(features, catalogue.seen_by(name), torch.device(device))
        table = partial(_table, name, cache_dir, _identity(how, extractor, data), extractor)
        if features.placebo:
            placebo: Any = Placebo(extractor, table, features.placebo, features.placebo_seed)
            table = partial(_table, name, cache_dir, _identity(how, placebo, data), placebo)
        tables[name] = table()
        log.info("%s", coverage(tables[name]))
    return tables


def catalogue_of(dataset: DatasetConfig, data: PreparedData, cache_dir: Path) -> ItemCatalogue:
    """The items of prepared data, as they were described before their test part began."""
    is_timed = dataset.items.has_properties and dataset.items.properties.time is not None
    before = data.test_from(dataset) if is_timed else None
    return ItemCatalogue(with_files(dataset, cache_dir), data.item_ids, before)


def coverage(table: FeatureTable) -> str:
    """Describes a table in a line, such as "text: 12,345 dimensions, 5.4 non-zeros an item, 998 of 1,000 items"."""
    non_zeros = f"{table.num_nonzeros / table.num_items:.1f} non-zeros an item, " if table.is_sparse else ""
    covered = f"{table.num_covered:,} of {table.num_items:,} items"
    return f"{table.name}: {table.size:,} dimensions, {non_zeros}{covered}"


def _identity(how: str, extractor: Extractor, data: PreparedData) -> Identity:
    settings, files = extractor.identity()
    try:
        return Identity.of(
            FORMAT_VERSION, [how, settings, data.data_hash, *fingerprint_of("EXTRACTORS", how)], files
        )
    except OSError as error:
        raise UserError(f"{error.filename} cannot be read ({error.strerror}); check the path") from error


def cached_file(cache_dir: Path, cached_as: str) -> Path:
    """The file of a table in the cache."""
    return cache_dir / "features" / cached_as / VECTORS


def _table(name: str, cache_dir: Path, identity: Identity, extractor: Extractor) -> FeatureTable:
    file = cached_file(cache_dir, identity.hash)
    parts = file.with_name("parts")

    def make() -> FeatureTable:
        vectors, covered = extractor.extract(parts)
        table = FeatureTable(name, vectors, covered, identity.hash, getattr(extractor, "fitted", {}))
        save_arrays(file, identity, table.arrays())
        shutil.rmtree(parts, ignore_errors=True)
        return table

    def load() -> FeatureTable:
        return FeatureTable.from_arrays(name, load_arrays(file, identity), identity.hash)

    return load_or_make(file, load, make, what="the features")
