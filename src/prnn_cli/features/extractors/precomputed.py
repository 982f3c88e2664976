"""Vectors made elsewhere (CLIP, DINO, a language model …) -> a row an item."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import torch

from prnn_cli.errors import UserError
from prnn_cli.features.extractor import Extractor
from prnn_cli.features.items import ItemCatalogue
from prnn_cli.features.placed_vectors import placed
from prnn_cli.features.vector_files import ITEM_ID, needs_id_column, read_ids, read_matrix
from prnn_cli.schema import DatasetConfig, FeaturesConfig, PrecomputedConfig


class Precomputed:
    """Takes the vectors of `features.precomputed.path`, else those of the data set, one for each row of its items."""

    def __init__(self, features: FeaturesConfig, catalogue: ItemCatalogue, device: torch.device) -> None:
        self.config, self.catalogue = features.precomputed, catalogue
        items = catalogue.dataset.items
        if self.config.path is None:
            ids = self.config.item_ids or (items.path if isinstance(items.path, str) else None)
            self.config = dataclasses.replace(self.config, path=items.vectors, item_ids=ids)

    @staticmethod
    def check(features: FeaturesConfig, dataset: DatasetConfig) -> None:
        config = features.precomputed
        profile = dataset.profile
        if config.path is None and profile is None and dataset.items.vectors is None:
            raise UserError(
                f"features={features.name} needs vectors; add features.precomputed.path=FILE (.npy, .safetensors "
                "or .parquet), or dataset.items.vectors"
            )
        files = {"features.precomputed.path": config.path, "features.precomputed.item_ids": config.item_ids}
        for option, path in (files | {"dataset.items.vectors": dataset.items.vectors}).items():
            if path is not None and not Path(path).expanduser().is_file():
                raise UserError(f"{option}={path} is not there; give a file")

    def identity(self) -> tuple[Any, list[Path]]:
        paths = [self.config.path, self.config.item_ids]
        files = [Path(path).expanduser() for path in paths if path is not None]
        names_ids = any(needs_id_column(file) for file in files)
        column = [self.catalogue.dataset.items.item_id] if names_ids else []
        return [self.config.normalise, [file.suffix for file in files], *column], files

    def extract(self, parts: Path) -> tuple[np.ndarray, np.ndarray]:
        return precomputed(self.config, self.catalogue.item_ids, self.catalogue.dataset.items.item_id)


def precomputed(
    config: PrecomputedConfig, item_ids: np.ndarray, id_column: str = ITEM_ID
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (num_items, F) float32, or float16 as the file is, and (num_items,) bool which items have one.

    id_column: that of the ids in a table without a column item_id
    The others are zero; a row of zeros is no vector.

    Raises `UserError` for files that don't fit each other or the log, and for values that are no finite numbers.
    """
    path, matrix, ids = _read(config, id_column)
    return placed(matrix, ids, item_ids, config.normalise, f"features.precomputed.path={path}")


def _read(config: PrecomputedConfig, id_column: str) -> tuple[Path, np.ndarray, list[str]]:
    """The file of the vectors, its matrix (num_rows, F), and the item ids of the rows."""
    assert config.path is not None
    path = Path(config.path).expanduser()
    matrix, ids = read_matrix(path, id_column)
    if ids is None:
        if config.item_ids is None:
            raise UserError(
                f"features.precomputed.path={path} has no item ids; give those of its {len(matrix)} rows in a file "
                "(.txt, .npy, .csv, .parquet) as features.precomputed.item_ids=FILE"
            )
        ids = read_ids(Path(config.item_ids).expanduser(), id_column)
        if len(ids) != len(matrix):
            raise UserError(
                f"features.precomputed.item_ids={config.item_ids} has {len(ids)} ids, but {path} has {len(matrix)} "
                "rows; give one id for each row, in the same order"
            )
    return path, matrix, ids


EXTRACTORS: dict[str, type[Extractor]] = {"precomputed": Precomputed}
