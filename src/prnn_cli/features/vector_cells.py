"""Columns whose cells hold vectors, as lists of numbers or as text such as "[0.1, -0.2]" -> numbers."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from prnn_cli.data.formats.rows import FileRows
from prnn_cli.data.formats.session_lists import is_list
from prnn_cli.errors import UserError

WRITTEN = {  # how text separates numbers, and where it begins and ends
    "spaces": r"[^\s,;\[(]\s+[^\s,;\])]",
    "commas": r",",
    "semicolons": r";",
    "opens": r"^\s*[\[(]",
    "closes": r"[\])]\s*$",
}
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
        _check_written(column, rows, name)
        text = pc.utf8_trim_whitespace(pc.replace_substring_regex(column, BETWEEN, " "))
        return pc.split_pattern(pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text), " ")
    if not is_list(kind):
        raise UserError(
            f"{rows.file.path}, column {name!r} is of type {kind}; it must hold vectors, as lists of numbers or as "
            "text such as [0.1, -0.2]"
        )
    return column.cast(pa.list_(kind.value_type)) if pa.types.is_fixed_size_list(kind) else column


def _check_written(column: pa.ChunkedArray, rows: FileRows, name: str) -> None:
    """Raises `UserError` for text of which it cannot be told where its numbers end: "1,5 2,5", or "[1,2" cut off."""
    found = {what: _finds(column, pattern) for what, pattern in WRITTEN.items()}
    mixed = pc.or_(pc.and_(found["spaces"], found["commas"]), pc.and_(found["commas"], found["semicolons"]))
    for is_wrong, why in (
        (mixed, "separates numbers in two ways (a decimal comma?); write them as [0.1, -0.2]"),
        (pc.xor(found["opens"], found["closes"]), "has one of its brackets alone; it may have been cut off"),
    ):
        if row := pc.index(is_wrong, True).as_py() + 1:
            place = rows.file.place(int(rows.numbers[row - 1]))
            raise UserError(f"{place}, column {name!r}: {str(column[row - 1].as_py())[:60]!r} {why}")


def _finds(column: pa.ChunkedArray, pattern: str) -> pa.ChunkedArray:
    return pc.fill_null(pc.match_substring_regex(column, pattern), False)


def _first_without_numbers(lists: pa.Array, rows: FileRows, name: str) -> str:
    row = next(row for row in range(len(lists)) if not _holds_numbers(lists[row].as_py() or []))
    return f"{rows.file.place(int(rows.numbers[row]))}, column {name!r}: {str(rows.table[name][row].as_py())[:60]!r}"


def _holds_numbers(values: list[Any]) -> bool:
    try:
        pa.array(values).cast(pa.float32(), safe=False)
    except pa.ArrowException:
        return False
    return True
