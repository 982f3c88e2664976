"""Columns within others, such as events.aid: the fields of Parquet's structures, and of lists of these."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from prnn_cli.data.formats.session_lists import is_list

NESTED = "."  # between the names in a path


def leaf_names(schema: pa.Schema) -> list[str]:
    """The names of the columns of a file: a structure's fields count in its place."""
    return [name for field in schema for name in _leaves(field)]


def root_of(schema: pa.Schema, name: str) -> str:
    """The column of the file in which the named one lies."""
    return (
        name
        if name in schema.names
        else next(root for root in schema.names if name.startswith(f"{root}{NESTED}"))
    )


def nested_column(table: pa.Table, name: str) -> pa.ChunkedArray:
    """The column, or the field, at a path; of a list of structures the list of one field of theirs."""
    root = root_of(table.schema, name)
    return pa.chunked_array([_field(table[root].combine_chunks(), name[len(root) + 1 :])])


def _leaves(field: pa.Field) -> Iterator[str]:
    kind = field.type.value_type if is_list(field.type) else field.type
    if not pa.types.is_struct(kind):
        yield field.name
        return
    for inner in kind:
        yield from (f"{field.name}{NESTED}{name}" for name in _leaves(inner))


def _field(column: pa.Array, path: str) -> pa.Array:
    if not path:
        return column
    if is_list(column.type):
        return _with_values(column, _field(column.flatten(), path))
    names = [field.name for field in column.type]
    name = path if path in names else next(name for name in names if path.startswith(f"{name}{NESTED}"))
    return _field(pc.struct_field(column, [name]), path[len(name) + 1 :])


def _with_values(lists: pa.Array, values: pa.Array) -> pa.Array:
    """Lists of the same lengths, null where these are, with other values."""
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), values, mask=lists.is_null())
