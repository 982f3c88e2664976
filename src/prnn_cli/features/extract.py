"""Features of the prepared items, made once and cached under a hash of the settings and of what was read."""

import logging
import shutil
from pathlib import Path

import torch

from prnn_cli.data.prepare import PreparedData, with_files
from prnn_cli.errors import UserError, choice
from prnn_cli.features import colour_histogram, googlenet, precomputed, tfidf
from prnn_cli.features.extractor import Extractor
from prnn_cli.features.items import ItemCatalogue
from prnn_cli.features.table import FeatureTable
from prnn_cli.schema import DatasetConfig, FeaturesConfig
from prnn_cli.system.files import hash_of, remove_remains, set_aside
from prnn_cli.system.locks import exclusive_lock

FORMAT_VERSION = 2  # part of the hash: raise it with every change of what is extracted or written

EXTRACTORS: dict[str, type[Extractor]] = {
    **tfidf.EXTRACTORS,
    **googlenet.EXTRACTORS,
    **colour_histogram.EXTRACTORS,
    **precomputed.EXTRACTORS,
}

log = logging.getLogger(__name__)


def check_features(features: FeaturesConfig, dataset: DatasetConfig) -> None:
    """Raises `UserError` for settings that no features can be made of; reads nothing."""
    for name, how in features.sources.items():
        choice(EXTRACTORS, how, f"features.sources.{name}").check(features, dataset)


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
    catalogue = ItemCatalogue(with_files(dataset, cache_dir), data.item_ids)
    tables = {}
    for name, how in features.sources.items():
        extractor = EXTRACTORS[how](features, catalogue, torch.device(device))
        folder = cache_dir / "features" / _hash(how, extractor, data)
        with exclusive_lock(folder):
            tables[name] = _cached(name, folder) or _made(name, folder, extractor)
        log.info("%s", coverage(tables[name]))
    return tables


def coverage(table: FeatureTable) -> str:
    """Describes a table in a line, such as "text: 12,345 dimensions, 5.4 non-zeros an item, 998 of 1,000 items"."""
    non_zeros = f"{table.num_nonzeros / table.num_items:.1f} non-zeros an item, " if table.is_sparse else ""
    covered = f"{table.num_covered:,} of {table.num_items:,} items"
    return f"{table.name}: {table.size:,} dimensions, {non_zeros}{covered}"


def _hash(how: str, extractor: Extractor, data: PreparedData) -> str:
    settings, files = extractor.identity()
    try:
        return hash_of([FORMAT_VERSION, how, settings, data.data_hash], files)
    except OSError as error:
        raise UserError(f"{error.filename} cannot be read ({error.strerror}); check the path") from error


def _cached(name: str, folder: Path) -> FeatureTable | None:
    remove_remains(folder)
    if not _file(folder).exists():
        return None
    try:
        table = FeatureTable.load(_file(folder), name)
    except UserError as damage:
        log.warning("%s; it is set aside as %s and made again", damage, set_aside(_file(folder)).name)
        return None
    log.info("reusing the features in %s", folder)
    return table


def _made(name: str, folder: Path, extractor: Extractor) -> FeatureTable:
    parts = folder / "parts"
    vectors, covered = extractor.extract(parts)
    table = FeatureTable(name, vectors, covered)
    table.save(_file(folder))
    shutil.rmtree(parts, ignore_errors=True)
    return table


def _file(folder: Path) -> Path:
    return folder / "vectors.safetensors"
