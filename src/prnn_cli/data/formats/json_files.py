"""JSON Lines: files with one object a line, whose keys are the columns."""

import json
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from prnn_cli.data.formats.data_file import DataFile, as_lines, check_is_text, open_bytes, readable
from prnn_cli.errors import UserError

BLOCK_ROWS = 1 << 17
HEADER_ROWS = 1000  # so many rows tell which columns there are


class JsonLinesFile(DataFile):
    """A JSON Lines file; a key that an object lacks is null.

    Values may be text, numbers or lists of these; where a block of a column mixes them, all are text.
    """

    encoding: str

    @classmethod
    def open(cls, path: Path, encoding: str) -> "JsonLinesFile":
        """Reads the keys of the first objects; raises `UserError` where there is no object."""
        check_is_text(path, encoding)
        file = cls(path, [])
        file.encoding = encoding
        first = [row for _, row in islice(file._lines(), HEADER_ROWS) if row is not None]
        if not first and (broken := next(file.unparsed(), None)):
            raise UserError(f"{broken}; a JSON Lines file holds one object a line")
        if not first:
            raise UserError(f"{path} is empty; it needs one JSON object a line")
        file.columns = list(dict.fromkeys(key for row in first for key in row))
        return file

    def blocks(self, names: Collection[str], ids: Collection[str] = ()) -> Iterator[pa.Table]:
        values: dict[str, list[Any]] = {name: [] for name in names}
        num_rows = 0
        for _, row in self._lines():
            if row is None:
                self.num_unparsed += 1
                continue
            for name, column in values.items():
                column.append(row.get(name))
            num_rows += 1
            if num_rows == BLOCK_ROWS:
                yield pa.table({name: column_of(column) for name, column in values.items()})
                values, num_rows = {name: [] for name in names}, 0
        if num_rows:
            yield pa.table({name: column_of(column) for name, column in values.items()})

    def place(self, row: int) -> str:
        lines = (line for line, parsed in self._lines() if parsed is not None)
        return f"{self.path}, line {next(islice(lines, row, None))}"

    def unparsed(self) -> Iterator[str]:
        return (
            f"{self.path}, line {line} is no JSON object" for line, parsed in self._lines() if parsed is None
        )

    def _lines(self) -> Iterator[tuple[int, dict[str, Any] | None]]:
        """Yields (line number from 1, its object, or None where it holds none) for each line that isn't blank."""
        with readable(self.path, self.encoding):
            raw, content = open_bytes(self.path)
            with as_lines(content, self.encoding) as stream:
                for number, line in enumerate(stream, 1):
                    if number % 1024 == 0:
                        self.position = raw.tell()
                    if line.strip():
                        yield number, _object(line)


def column_of(values: list[Any]) -> pa.Array:
    """An array of whole numbers, fractional numbers, text or lists, as all values are; mixed ones become text."""
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {list}:
        offsets: list[int] = [0]
        flat: list[Any] = []
        for value in values:
            flat += value or []
            offsets.append(len(flat))
        missing = pa.array([value is None for value in values])
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), column_of(flat), mask=missing)
    if kinds <= {int, float} and all(abs(value) < 1 << 63 for value in values if type(value) is int):
        return pa.array(values, pa.float64() if float in kinds else pa.int64())
    return pa.array([None if value in (None, "") else _text(value) for value in values], pa.string())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _object(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
