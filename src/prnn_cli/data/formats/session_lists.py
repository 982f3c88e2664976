"""Logs with one row a session: its items, and perhaps their times, stand in lists."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def explode_lists(table: pa.Table, item: str, separator: str | None) -> tuple[pa.Table, np.ndarray]:
    """A row for each item of the lists in the column `item`, and the row of `table` that each comes from.

    Rows are in the order of the lists. Lists in other columns go along if they are as long as that of the items, else
    their values are null; what is no list holds for all items. An empty list leaves one row without an item.
    `separator` splits text cells.
    """
    items = _as_list(table[item], separator)
    lengths = _lengths(items)
    columns = {
        name: items if name == item else _fitting(table[name], separator, lengths)
        for name in table.column_names
    }
    rows = np.repeat(np.arange(len(table)), np.maximum(lengths, 1))
    starts = np.cumsum(np.maximum(lengths, 1)) - np.maximum(lengths, 1)
    position = np.arange(len(rows)) - starts[rows]
    spread = {}
    for name, column in columns.items():
        if not is_list(column.type):
            spread[name] = column.take(pa.array(rows))
            continue
        own = _lengths(column)
        missing = (own != lengths)[rows] | (own == 0)[rows]
        index = (np.cumsum(own) - own)[rows] + position
        spread[name] = column.flatten().take(pa.array(np.where(missing, 0, index), mask=missing))
    return pa.table(spread), rows


def is_list(kind: pa.DataType) -> bool:
    """Whether a column of this type holds lists."""
    return any(
        is_kind(kind) for is_kind in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    )


def _fitting(column: pa.ChunkedArray, separator: str | None, lengths: np.ndarray) -> pa.Array:
    """The column as lists if it holds them, or if most of its cells split into as many parts as there are items."""
    split = _as_list(column, separator)
    if is_list(column.type) or not is_list(split.type) or (_lengths(split) == lengths).mean() > 0.5:
        return split
    return column.combine_chunks()


def _as_list(column: pa.ChunkedArray, separator: str | None) -> pa.Array:
    """The column as one array; text is split at the separator, without brackets around it and quotes in its parts."""
    array = column.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if separator is None or not pa.types.is_string(array.type):
        return array
    lists = pc.split_pattern(pc.utf8_trim(array, "[]() "), separator)
    values = pc.utf8_trim(lists.flatten(), " \"'")
    values = pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)
    return pa.ListArray.from_arrays(lists.offsets, values, mask=lists.is_null())


def _lengths(lists: pa.Array) -> np.ndarray:
    lengths: np.ndarray = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    return lengths.astype(np.int64)
