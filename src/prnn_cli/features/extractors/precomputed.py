"""Vectors made elsewhere (CLIP, DINO, a language model …) -> a row an item."""

import dataclasses
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from prnn_cli.errors import UserError
from prnn_cli.features.extractor import Extractor
from prnn_cli.features.items import ItemCatalogue, match
from prnn_cli.features.vector_files import read_ids, read_matrix
from prnn_cli.schema import DatasetConfig, FeaturesConfig, PrecomputedConfig

ROWS_A_BLOCK = 2**14  # converted at a time, so that half precision needs no second table in full precision

log = logging.getLogger(__name__)


class Precomputed:
    """Takes the vectors of `features.precomputed.path`, else those of the data set, one for each row of its items."""

    def __init__(self, features: FeaturesConfig, catalogue: ItemCatalogue, device: torch.device) -> None:
        self.config, self.catalogue = features.precomputed, catalogue
        items = catalogue.dataset.items
        if self.config.path is None:
            ids = self.config.item_ids or items.path
            self.config = dataclasses.replace(self.config, path=items.vectors, item_ids=ids)

    @staticmethod
    def check(features: FeaturesConfig, dataset: DatasetConfig) -> None:
        config = features.precomputed
        profile = dataset.profile
        if config.path is None and profile is None and dataset.items.vectors is None:
            raise UserError(
                f"features={features.name} needs vectors; add features.precomputed.path=FILE (.npy, .safetensors "
                "or .parquet)"
            )
        files = {"features.precomputed.path": config.path, "features.precomputed.item_ids": config.item_ids}
        for option, path in (files | {"dataset.items.vectors": dataset.items.vectors}).items():
            if path is not None and not Path(path).expanduser().is_file():
                raise UserError(f"{option}={path} is not there; give a file")

    def identity(self) -> tuple[Any, list[Path]]:
        paths = [self.config.path, self.config.item_ids]
        files = [Path(path).expanduser() for path in paths if path is not None]
        return [self.config.normalise, [file.suffix for file in files]], files

    def extract(self, parts: Path) -> tuple[np.ndarray, np.ndarray]:
        return precomputed(self.config, self.catalogue.item_ids)


def precomputed(config: PrecomputedConfig, item_ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (num_items, F) float32, or float16 as the file is, and (num_items,) bool which items have one.

    The others are zero; a row of zeros is no vector.

    Raises `UserError` for files that don't fit each other or the log, and for values that are no finite numbers.
    """
    path, matrix, ids = _read(config)
    described = pd.Series(ids, dtype=object)
    repeated = described.duplicated().to_numpy()
    if repeated.any():
        log.warning("%s repeats items in %d rows; the first row of an item counts", path, repeated.sum())
    kept = np.flatnonzero(~repeated)
    rows = match(described[kept], item_ids, f"features.precomputed.path={path}")
    found = rows >= 0
    sources = kept[rows[found]]
    dtype = np.float16 if matrix.dtype == np.float16 else np.float32
    vectors = np.zeros((len(item_ids), matrix.shape[1]), dtype=dtype)
    items = np.flatnonzero(found)
    for start in range(0, len(items), ROWS_A_BLOCK):
        block = slice(start, start + ROWS_A_BLOCK)
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused
            rows = matrix[sources[block]].astype(np.float32)
        _check_finite(rows, item_ids[items[block]], path)
        if config.normalise:
            norms = np.linalg.norm(rows, axis=1, keepdims=True)
            np.divide(rows, norms, out=rows, where=norms > 0)
        vectors[items[block]] = rows
        found[items[block]] = rows.any(axis=1)
    return vectors, found


def _read(config: PrecomputedConfig) -> tuple[Path, np.ndarray, list[str]]:
    """The file of the vectors, its matrix (num_rows, F), and the item ids of the rows."""
    assert config.path is not None
    path = Path(config.path).expanduser()
    matrix, ids = read_matrix(path)
    if ids is None:
        if config.item_ids is None:
            raise UserError(
                f"features.precomputed.path={path} has no item ids; give those of its {len(matrix)} rows in a file "
                "(.txt, .npy, .csv, .parquet) as features.precomputed.item_ids=FILE"
            )
        ids = read_ids(Path(config.item_ids).expanduser())
        if len(ids) != len(matrix):
            raise UserError(
                f"features.precomputed.item_ids={config.item_ids} has {len(ids)} ids, but {path} has {len(matrix)} "
                "rows; give one id for each row, in the same order"
            )
    return path, matrix, ids


def _check_finite(vectors: np.ndarray, item_ids: np.ndarray, path: Path) -> None:
    bad = ~np.isfinite(vectors).all(axis=1)
    if bad.any():
        item = int(bad.argmax())
        value = vectors[item][~np.isfinite(vectors[item])][0]
        raise UserError(
            f"{path}: the vector of item {item_ids[item]!r} holds {value}; every value must be a finite number"
        )


EXTRACTORS: dict[str, type[Extractor]] = {"precomputed": Precomputed}
