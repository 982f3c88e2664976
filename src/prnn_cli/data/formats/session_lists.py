"""Logs with one row a session: its items, and perhaps their times, stand in lists."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from prnn_cli.data.formats.column_values import as_text

BRACKETS, QUOTES, SPACE = "[]()", "\"'", " \t\r\n"
NO_ITEM = pa.array(["", "..."])  # the dots stand where numpy left out what was in the middle of a long list


def explode_lists(
    table: pa.Table, item: str, separator: str | None, next_item: str | None = None
) -> tuple[pa.Table, np.ndarray]:
    """A row for each item of the lists in the column `item`, and the row of `table` that each comes from.

    Rows are in the order of the lists. Lists in other columns go along if they are as long as that of the items, else
    their values are null; what is no list holds for all items. An empty list leaves one row without an item.
    `separator` splits text cells. The item in the column `next_item` comes after those of the list, and lists of
    other columns give it their last value. Raises `pa.ArrowException` where it is nothing that can stand among these.
    """
    items = _as_list(table[item], separator)
    lengths = _lengths(items)
    columns = {
        name: items if name == item else _fitting(table[name], separator, lengths)
        for name in table.column_names
    }
    if next_item is not None:
        columns = _with_next(columns, item, lengths, table[next_item])
        lengths = _lengths(columns[item])
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


def items_of_elements(elements: pa.ChunkedArray, pattern: str) -> tuple[pa.Array, np.ndarray]:
    """The text that the one group of a regular expression finds in each element, and (num_elements,) whether it finds
    none; a missing element stays null.

    Raises `pa.ArrowException` for elements that are neither text nor whole numbers.
    """
    encoded = as_text(elements).combine_chunks().dictionary_encode()
    found = [re.search(pattern, element) for element in encoded.dictionary.to_pylist()]
    items = pa.array([match and match[1] for match in found], pa.string()).take(encoded.indices)
    holds_none: np.ndarray = pc.and_(items.is_null(), encoded.is_valid()).to_numpy(zero_copy_only=False)
    return items, holds_none


def is_list(kind: pa.DataType) -> bool:
    """Whether a column of this type holds lists."""
    return any(
        is_kind(kind) for is_kind in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    )


def _fitting(column: pa.ChunkedArray, separator: str | None, lengths: np.ndarray) -> pa.Array:
    """The column as lists if it holds them, or if most of its cells split into as many parts as there are items.

    Cells of one part tell nothing, nor do such that all have as many parts, as dates with a time of day have.
    """
    split = _as_list(column, separator)
    if is_list(column.type) or not is_list(split.type):
        return split
    own = _lengths(split)
    telling = (own > 1) | (lengths > 1)
    varies = (own[telling] != own[telling][:1]).any() or (lengths[telling] == lengths[telling][:1]).all()
    is_listed = varies and telling.any() and (own == lengths)[telling].mean() > 0.5
    return split if is_listed else column.combine_chunks()


def _as_list(column: pa.ChunkedArray, separator: str | None) -> pa.Array:
    """The column as one array; text is split at the separator, without brackets around it and quotes in its parts."""
    array = column.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if separator is None or not pa.types.is_string(array.type):
        return array
    cells = pc.utf8_trim(array, BRACKETS + SPACE)
    # numpy prints numbers in columns, and long lists over several lines
    lists = pc.utf8_split_whitespace(cells) if separator == " " else pc.split_pattern(cells, separator)
    parts = pc.utf8_trim(lists.flatten(), QUOTES + SPACE)
    parts = pc.if_else(pc.is_in(parts, NO_ITEM), pa.scalar(None, pa.string()), parts)
    lengths, is_empty = _lengths(lists), pc.equal(cells, "").fill_null(False).to_numpy(zero_copy_only=False)
    parts = parts.filter(pa.array(np.repeat(~is_empty, lengths)))
    return pa.ListArray.from_arrays(_offsets(np.where(is_empty, 0, lengths)), parts, mask=lists.is_null())


def _with_next(
    columns: dict[str, pa.Array], item: str, lengths: np.ndarray, next_items: pa.ChunkedArray
) -> dict[str, pa.Array]:
    """The columns, with an element more in each list that is as long as that of the items, if there is a next item."""
    has_next = next_items.is_valid().to_numpy()
    ends = np.cumsum(lengths)[has_next]
    longer = dict(columns)
    for name, column in columns.items():
        if not is_list(column.type) or (_lengths(column) != lengths).any():
            continue
        values = column.flatten()
        if name == item:
            added = next_items.drop_null().combine_chunks()
            if added.type != values.type:
                values, added = (
                    as_text(pa.chunked_array([each])).combine_chunks() for each in (values, added)
                )
        else:
            added = values.take(pa.array(np.maximum(ends - 1, 0), mask=lengths[has_next] == 0))
        order = np.insert(np.arange(len(values)), ends, len(values) + np.arange(len(added)))
        elements = pa.concat_arrays([values, added]).take(pa.array(order))
        longer[name] = pa.ListArray.from_arrays(_offsets(lengths + has_next), elements)
    return longer


def _offsets(lengths: np.ndarray) -> pa.Array:
    return pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())


def _lengths(lists: pa.Array) -> np.ndarray:
    lengths: np.ndarray = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    return lengths.astype(np.int64)
