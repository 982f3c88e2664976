"""Rows of one file, with their numbers in it, so that messages can say where they stand."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from prnn_cli.data.formats.column_values import as_text
from prnn_cli.data.formats.data_file import DataFile
from prnn_cli.data.formats.session_lists import is_list
from prnn_cli.errors import UserError


@dataclass(frozen=True)
class FileRows:
    """Some rows of a file, such as a block of them or those that a filter keeps.

    numbers: (len(table),) the place of each row among those of the file, from 0
    """

    file: DataFile
    table: pa.Table
    numbers: np.ndarray

    def filter(self, keep: np.ndarray) -> "FileRows":
        """The rows where `keep`, (len(table),) bool, holds."""
        if keep.all():
            return self
        return FileRows(self.file, self.table.filter(pa.array(keep)), self.numbers[keep])

    def texts(self, name: str, lists: bool = False) -> pa.ChunkedArray:
        """A column as text without space around it; null where there is none.

        lists: a column may hold lists, whose elements are then joined with a space
        Raises `UserError` for a column of fractional numbers or structures, and for other lists.
        """
        column = self.table[name]
        try:
            if lists and is_list(column.type):
                elements = column.cast(pa.list_(pa.string())).to_pylist()
                column = pa.chunked_array(
                    [[" ".join(filter(None, each or [])) for each in elements]], pa.string()
                )
            trimmed = pc.utf8_trim_whitespace(as_text(column))
        except pa.ArrowException as error:
            raise UserError(
                f"{self.file.path}, column {name!r} is of type {column.type}; it must hold text or whole numbers"
            ) from error
        return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)

    def raise_if_any(self, bad: np.ndarray, name: str, what: str) -> None:
        """Raises `UserError` for the first row where `bad` holds; `what` follows its value in the column `name`."""
        if bad.any():
            first = int(bad.argmax())
            value = self.table[name][first].as_py()
            shown = "" if value is None else f" {str(value)!r}"
            raise UserError(f"{self.file.place(int(self.numbers[first]))}, column {name!r}:{shown} {what}")


def check_columns(file: DataFile, wanted: dict[str, str]) -> None:
    """Raises `UserError` where the file lacks a column or has it twice.

    `wanted`: config key -> name of the column that it asks for.
    """
    for key, name in wanted.items():
        if name not in file.columns:
            raise UserError(
                f"{file.path} has no column {name!r}; it has {', '.join(map(repr, file.columns))}"
                f"{file.layout and f' (read {file.layout})'}; set dataset.{key}"
            )
        if file.columns.count(name) > 1:
            raise UserError(f"{file.path} has more than one column {name!r}; rename one of them")


def read_rows(file: DataFile, wanted: dict[str, str]) -> FileRows:
    """All rows of a file, with the columns that `wanted` names as in `check_columns`.

    Raises `UserError` for a column that is missing and for a row that doesn't parse.
    """
    check_columns(file, wanted)
    table = file.read(set(wanted.values()))
    return FileRows(file, table, np.arange(len(table)))


def read_blocks(file: DataFile, wanted: dict[str, str], ids: Collection[str] = ()) -> Iterator[FileRows]:
    """The same rows block by block; columns in `ids` may come as dictionaries."""
    check_columns(file, wanted)
    first = 0
    for table in file.blocks(set(wanted.values()), ids):
        yield FileRows(file, table, np.arange(first, first + len(table)))
        first += len(table)
    file.check_parsed()
