"""Rows of one file, with their numbers in it, so that messages can say where they stand."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from prnn_cli.data.formats.data_file import DataFile
from prnn_cli.errors import UserError


@dataclass(frozen=True)
class FileRows:
    """numbers: (len(table),) the place of each row among those of the file"""

    file: DataFile
    table: pa.Table
    numbers: np.ndarray

    def filter(self, keep: np.ndarray) -> "FileRows":
        if keep.all():
            return self
        return FileRows(self.file, self.table.filter(pa.array(keep)), self.numbers[keep])

    def refuse(self, bad: np.ndarray, name: str, column: pa.ChunkedArray, what: str) -> None:
        """Raises `UserError` for the first bad value of `column`, if there is one."""
        if bad.any():
            first = int(bad.argmax())
            value = column[first].as_py()
            shown = "" if value is None else f" {str(value)!r}"
            raise UserError(f"{self.file.place(int(self.numbers[first]))}, column {name!r}:{shown} {what}")


def check_columns(file: DataFile, wanted: dict[str, str]) -> None:
    """Raises `UserError` where the file lacks a column. `wanted`: config key -> name of the column that it asks for."""
    for key, name in wanted.items():
        if name not in file.columns:
            raise UserError(
                f"{file.path} has no column {name!r}; it has {', '.join(map(repr, file.columns))}"
                f"{file.layout and f' (read {file.layout})'}; set dataset.{key}"
            )
        if file.columns.count(name) > 1:
            raise UserError(f"{file.path} has more than one column {name!r}; rename one of them")
