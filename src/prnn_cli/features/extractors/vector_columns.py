"""Vectors that stand in a column of the items table -> a row an item."""

import dataclasses
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from prnn_cli.data.formats.data_file import DataFile
from prnn_cli.errors import UserError
from prnn_cli.features.extractor import Extractor
from prnn_cli.features.items import ItemCatalogue
from prnn_cli.features.placed_vectors import placed
from prnn_cli.features.vector_cells import vectors_of_cells
from prnn_cli.features.vector_lengths import odd_length
from prnn_cli.schema import DatasetConfig, FeaturesConfig


class VectorColumns:
    """Takes the vectors of the column that `dataset.items.vector_columns` names for the source of features."""

    def __init__(self, features: FeaturesConfig, catalogue: ItemCatalogue, device: torch.device) -> None:
        self.normalise, self.catalogue = features.precomputed.normalise, catalogue

    @staticmethod
    def check(features: FeaturesConfig, dataset: DatasetConfig) -> None:
        if not any(dataset.items.vector_columns.values()):
            source = next(iter(dataset.items.vector_columns), "SOURCE")
            none = "none" if source == "SOURCE" else f"none for {source}"
            raise UserError(
                f"features={features.name} reads each source from a column of the items table, and dataset="
                f"{dataset.name} names {none}; add +dataset.items.vector_columns.{source}=COLUMN, or leave the "
                f"source out by '~features.sources.{source}'"
            )
        if dataset.items.path is None:
            raise UserError(
                f"features={features.name} reads vectors of an items table; set dataset.items.path to it"
            )

    def identity(self) -> tuple[Any, list[Path]]:
        items = self.catalogue.dataset.items
        filters = map(dataclasses.asdict, items.filters)
        return [self.normalise, items.item_id, self._column, items.header, *filters], self.catalogue.files

    def extract(self, parts: Path) -> tuple[np.ndarray, np.ndarray]:
        matrix, ids = self._read()
        return placed(matrix, ids, self.catalogue.item_ids, self.normalise, self._source)

    @property
    def _column(self) -> str:
        (column,) = self.catalogue.dataset.items.vector_columns.values()
        return column

    @property
    def _source(self) -> str:
        return f"the column {self._column!r} of dataset.items.path={self.catalogue.dataset.items.path}"

    def _read(self) -> tuple[np.ndarray, list[str]]:
        """The vectors of the rows that have one, (num_vectors, F), and the ids of these."""
        (source,) = self.catalogue.dataset.items.vector_columns
        values, ids, lengths = [], [], []
        places: list[tuple[DataFile, np.ndarray]] = []
        for item_ids, rows in self.catalogue.blocks({f"items.vector_columns.{source}": self._column}):
            of_rows, numbers = vectors_of_cells(rows, self._column)
            values.append(numbers)
            ids += item_ids.filter(of_rows > 0).to_pylist()
            lengths.append(of_rows[of_rows > 0])
            places.append((rows.file, rows.numbers[of_rows > 0]))
        if not ids:
            raise UserError(f"{self._source} holds no vector; name another column")
        if odd := odd_length(np.concatenate(lengths)):
            where = ((file, row) for file, numbers in places for row in numbers.tolist())
            file, row = next(islice(where, odd[0], None))
            raise UserError(f"{file.place(row)}, column {self._column!r}: the vector {odd[1]}; mend it")
        return np.concatenate(values).reshape(len(ids), -1), ids


EXTRACTORS: dict[str, type[Extractor]] = {"vector_columns": VectorColumns}
