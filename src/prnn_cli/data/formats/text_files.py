"""CSV, TSV and other delimited text with a header line, plain or compressed."""

import contextlib
import csv
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from prnn_cli.data.formats.data_file import (
    BLOCK_BYTES,
    DataFile,
    check_is_text,
    open_bytes,
    open_text,
    readable,
)
from prnn_cli.errors import UserError

SEPARATORS = ",;\t|^: \x01"


class TextFile(DataFile):
    """A delimited text file. Cells are text, empty ones null; quoted cells may hold line ends."""

    separator: str
    encoding: str

    @classmethod
    def open(cls, path: Path, separator: str | None, encoding: str, wanted: Collection[str]) -> "TextFile":
        """Reads the header; a `separator` of None is found by it and by the `wanted` columns.

        Raises `UserError` for an empty or binary file and for options that cannot be.
        """
        _check_options(separator, encoding)
        check_is_text(path, encoding)
        with readable(path, encoding), open_text(path, encoding) as stream:
            header = next((line for line in stream if line.strip()), None)
        if header is None:
            raise UserError(f"{path} is empty; it needs a header line and rows")
        separator = separator or _find_separator(header, wanted)
        file = cls(path, _split(header, separator), f"with dataset.separator={separator!r}")
        file.separator, file.encoding = separator, encoding
        return file

    def blocks(self, names: Collection[str], ids: Collection[str] = ()) -> Iterator[pa.Table]:
        if next(self._rows(), None) is None:
            return
        text = pa.string()
        types = {name: pa.dictionary(pa.int32(), text) if name in ids else text for name in names}
        with readable(self.path, self.encoding), _decoding_errors_raised():
            raw, stream = open_bytes(self.path)
            for batch in pa_csv.open_csv(
                stream,
                pa_csv.ReadOptions(encoding=self.encoding, block_size=BLOCK_BYTES),
                pa_csv.ParseOptions(
                    delimiter=self.separator, newlines_in_values=True, invalid_row_handler=self._leave_out
                ),
                pa_csv.ConvertOptions(
                    include_columns=list(names),
                    column_types=types,
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            ):
                self.position = raw.tell()
                yield pa.Table.from_batches([batch])

    def place(self, row: int) -> str:
        """Says the file and the line, as an editor counts it."""
        whole = (line for line, cells in self._rows() if len(cells) == len(self.columns))
        line = next(line for number, line in enumerate(whole) if number == row)
        return f"{self.path}, line {line}"

    def unparsed(self) -> Iterator[str]:
        width = len(self.columns)
        for line, cells in self._rows():
            if len(cells) != width:
                yield f"{self.path}, line {line} has {len(cells)} cells, but the header has {width}"

    def _leave_out(self, row: Any) -> str:
        # a quote left open swallows the lines that follow
        self.num_unparsed += 1 + row.text.strip().count("\n")
        return "skip"

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yields (line number at which it begins, cells) for each row: slow, so for the first row and for messages."""
        with readable(self.path, self.encoding), open_text(self.path, self.encoding) as stream:
            reader = csv.reader(stream, delimiter=self.separator)
            header_seen = False
            last_line = 0
            for cells in reader:
                first_line, last_line = last_line + 1, reader.line_num
                if cells and header_seen:
                    yield first_line, cells
                header_seen = header_seen or bool(cells)


@contextlib.contextmanager
def _decoding_errors_raised() -> Iterator[None]:
    """Raises a decoding error as such within the block.

    pyarrow decodes a row of other cells before it asks what to do with it; where it cannot, it prints a traceback and
    raises that the row has other cells.
    """
    failures: list[BaseException] = []
    before = sys.unraisablehook

    def keep(unraisable: Any) -> None:
        if isinstance(unraisable.exc_value, UnicodeDecodeError):
            failures.append(unraisable.exc_value)
        else:
            before(unraisable)

    sys.unraisablehook = keep
    try:
        yield
    except pa.ArrowInvalid as error:
        if failures:
            raise failures[0] from error
        raise
    finally:
        sys.unraisablehook = before


def _check_options(separator: str | None, encoding: str) -> None:
    if separator is not None and len(separator) != 1:
        raise UserError(f"dataset.separator={separator!r} must be one character; null finds it by itself")
    try:
        "".encode(encoding)
    except LookupError as error:
        raise UserError(f"dataset.encoding={encoding} does not exist; try utf-8 or cp1252") from error


def _find_separator(header: str, wanted: Collection[str]) -> str:
    def fit(separator: str) -> tuple[int, int]:
        names = _split(header, separator)
        return len(set(names) & set(wanted)), len(names)

    return max(SEPARATORS, key=fit)


def _split(header: str, separator: str) -> list[str]:
    return next(csv.reader([header], delimiter=separator))
