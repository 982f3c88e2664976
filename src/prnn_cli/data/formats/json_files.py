"""JSON Lines: files with one object a line, whose keys are the columns. It may be written as Python does."""

import ast
import json
import re
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from prnn_cli.data.formats.data_file import DataFile, as_lines, check_is_text, open_bytes, readable
from prnn_cli.data.formats.nested_columns import NESTED
from prnn_cli.data.formats.text_lines import bounded_lines
from prnn_cli.errors import EmptyFileError, UserError

BLOCK_ROWS = 1 << 17
HEADER_ROWS = 1000  # so many rows tell which columns there are
MAX_DEPTH = 8  # of objects within objects whose fields are columns
HALF_CHARACTER = re.compile("[\ud800-\udfff]")


class JsonLinesFile(DataFile):
    """A JSON Lines file; a key that an object lacks is null.

    Values may be text, numbers or lists of these; where a block of a column mixes them, all are text. What lies in
    objects within is a column of its own, such as `user.id`; of a list of objects each gives an element of the list.
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
            raise EmptyFileError(f"{path} is empty; it needs one JSON object a line")
        file.columns = columns_of(first)
        return file

    def blocks(self, names: Collection[str], ids: Collection[str] = ()) -> Iterator[pa.Table]:
        values: dict[str, list[Any]] = {name: [] for name in names}
        num_rows = 0
        for _, row in self._lines():
            if row is None:
                self.num_unparsed += 1
                continue
            for name, column in values.items():
                column.append(row[name] if name in row else value_at(row, name))
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
                for number, line in enumerate(bounded_lines(stream), 1):
                    if number % 1024 == 0:
                        self.position = raw.tell()
                    if line.strip():
                        yield number, _object(line)


def column_of(values: list[Any], in_lists: bool = False) -> pa.Array:
    """An array of whole numbers, fractional numbers, text or lists, as all values are; mixed ones become text.

    So do lists within lists (`in_lists`).
    """
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {list} and not in_lists:
        offsets: list[int] = [0]
        flat: list[Any] = []
        for value in values:
            flat += value or []
            offsets.append(len(flat))
        missing = pa.array([value is None for value in values])
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), column_of(flat, True), mask=missing)
    exact = 1 << (53 if float in kinds else 63)  # whole numbers from here on are kept as text
    if kinds <= {int, float} and all(abs(value) < exact for value in values if type(value) is int):
        return pa.array(values, pa.float64() if float in kinds else pa.int64())
    return pa.array([None if value in (None, "") else _text(value) for value in values], pa.string())


def columns_of(rows: list[dict[str, Any]]) -> list[str]:
    """The names of the columns that objects have: their keys, and in the place of what holds objects the paths within.

    Of a row that lacks the objects the key alone is seen, which is no column where other rows have them.
    """
    paths = dict.fromkeys(path for row in rows for path in _paths_in(row))
    parents = {path for path, holds_objects in paths if holds_objects}
    return list(dict.fromkeys(_whole_text(path) for path, _ in paths if path not in parents))


def _paths_in(row: dict[str, Any], depth: int = 1) -> Iterator[tuple[str, bool]]:
    """Yields (path, whether it holds objects)."""
    for key, inner in row.items():
        objects = [each for each in (inner if isinstance(inner, list) else [inner]) if isinstance(each, dict)]
        yield key, bool(objects) and depth < MAX_DEPTH
        if depth < MAX_DEPTH:
            for each in objects:
                yield from ((f"{key}{NESTED}{path}", holds) for path, holds in _paths_in(each, depth + 1))


def value_at(row: dict[str, Any], path: str) -> Any:
    """What an object holds at a path; of a list of objects the list of what each holds, null where it holds nothing."""
    if path in row:
        return row[path]
    key, _, rest = path.partition(NESTED)
    inner = row.get(key) if rest else None
    if isinstance(inner, list):
        return [value_at(each, rest) if isinstance(each, dict) else None for each in inner]
    return value_at(inner, rest) if isinstance(inner, dict) else None


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return _whole_text(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 63:
        return str(int(value))  # as in columns of numbers alone
    try:
        return _whole_text(json.dumps(value, ensure_ascii=False))
    except RecursionError:  # lists in lists in lists …
        return None


def _whole_text(text: str) -> str:
    """The text with U+FFFD for halves of characters, which JSON can hold and UTF-8 can't."""
    if text.isascii() or not HALF_CHARACTER.search(text):
        return text
    return HALF_CHARACTER.sub("\ufffd", text)


def _object(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = _python_literal(line)
    return value if isinstance(value, dict) else None


def _python_literal(line: str) -> Any:
    """What JSON would hold for a Python literal, such as {u'a': u'b'}, which is not executed; None for all else."""
    if not line.lstrip().startswith("{"):
        return None
    try:
        return json.loads(json.dumps(ast.literal_eval(line.strip())))
    except (
        ValueError,
        TypeError,
        SyntaxError,
        MemoryError,
        RecursionError,
    ):  # a set, say, or something to compute
        return None
