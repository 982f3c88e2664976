"""Parquet files, read a million rows at a time."""

from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from prnn_cli.data.formats.data_file import DataFile, readable
from prnn_cli.data.formats.nested_columns import leaf_names, nested_column, root_of
from prnn_cli.errors import UserError

BLOCK_ROWS = 1 << 20


class ParquetFile(DataFile):
    """A Parquet file. Columns keep their types but for text, which is always of the type string.

    Fields of structures are columns of their own, such as `user.id`; of a list of structures each gives an element.
    """

    @classmethod
    def open(cls, path: Path) -> "ParquetFile":
        """Reads the schema; raises `UserError` for what is no Parquet file."""
        if path.stat().st_size == 0:
            raise UserError(f"{path} is empty; a Parquet file needs a schema and rows")
        with readable(path):
            return cls(path, leaf_names(pq.read_schema(path)))

    def blocks(self, names: Collection[str], ids: Collection[str] = ()) -> Iterator[pa.Table]:
        with readable(self.path):
            schema = pq.read_schema(self.path)
            roots = list(dict.fromkeys(root_of(schema, name) for name in names))
            texts = [name for name in roots if name in ids and pa.types.is_string(schema.field(name).type)]
            file = pq.ParquetFile(self.path, read_dictionary=texts)
            size, num_rows, done = self.path.stat().st_size, file.metadata.num_rows, 0
            for batch in file.iter_batches(BLOCK_ROWS, columns=roots):
                done += len(batch)
                self.position = size * done // max(1, num_rows)
                table = pa.Table.from_batches([batch])
                yield pa.table({name: _plain(nested_column(table, name), name in ids) for name in names})

    def place(self, row: int) -> str:
        return f"{self.path}, row {row + 1}"


def _plain(column: pa.ChunkedArray, is_id: bool) -> pa.ChunkedArray:
    """The column without dictionaries (but for ids) and without large strings; empty text is null, as in a CSV."""
    if pa.types.is_dictionary(column.type):
        if is_id:
            return column
        column = column.cast(column.type.value_type)
    if any(is_text(column.type) for is_text in (pa.types.is_string, pa.types.is_large_string)):
        column = column.cast(pa.string())
        return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    return column
