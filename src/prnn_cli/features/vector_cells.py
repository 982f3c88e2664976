"""Columns whose cells hold vectors, as lists of numbers or as text such as "[0.1, -0.2]" -> numbers."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from prnn_cli.data.formats.rows import FileRows
from prnn_cli.data.formats.session_lists import is_list
from prnn_cli.errors import UserError

BETWEEN = r"[\[\](),;\s]+"  # numbers in text, and around them


def vectors_of_cells(rows: FileRows, name: str) -> tuple[np.ndarray, np.ndarray]:
    """(the number of values in each cell of a column, (num_rows,), all values one after another in float32).

    A missing or empty cell has none. Raises `UserError` for a cell that holds anything but numbers.
    """
    lists = _as_lists(rows, name)
    values = lists.flatten()
    try:
        numbers = values.cast(pa.float32(), safe=False)
    except pa.ArrowException as error:
        raise UserError(f"{_first_without_numbers(lists, rows, name)} is no vector of numbers") from error
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    return lengths.astype(np.int64), numbers.to_numpy(zero_copy_only=False)  # null becomes NaN


def _as_lists(rows: FileRows, name: str) -> pa.Array:
    column = rows.table[name].combine_chunks()
    kind = column.type
    if pa.types.is_null(kind):
        return pa.array([None] * len(column), pa.list_(pa.float32()))
    if pa.types.is_string(kind):
        text = pc.utf8_trim_whitespace(pc.replace_substring_regex(column, BETWEEN, " "))
        return pc.split_pattern(pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text), " ")
    if not is_list(kind):
        raise UserError(
            f"{rows.file.path}, column {name!r} is of type {kind}; it must hold vectors, as lists of numbers or as "
            "text such as [0.1, -0.2]"
        )
    return column.cast(pa.list_(kind.value_type)) if pa.types.is_fixed_size_list(kind) else column


def _first_without_numbers(lists: pa.Array, rows: FileRows, name: str) -> str:
    row = next(row for row in range(len(lists)) if not _holds_numbers(lists[row].as_py() or []))
    return f"{rows.file.place(int(rows.numbers[row]))}, column {name!r}: {str(rows.table[name][row].as_py())[:60]!r}"


def _holds_numbers(values: list[Any]) -> bool:
    try:
        pa.array(values).cast(pa.float32(), safe=False)
    except pa.ArrowException:
        return False
    return True
