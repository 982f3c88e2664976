"""CSV, TSV and other delimited text, with a header line or without, plain or compressed."""

import contextlib
import csv
import logging
import re
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from prnn_cli.data.formats.data_file import (
    BLOCK_BYTES,
    DataFile,
    as_lines,
    check_is_text,
    open_bytes,
    open_text,
    readable,
)
from prnn_cli.data.formats.swallowed_rows import SwallowedRows
from prnn_cli.data.formats.text_lines import (
    RewrittenBytes,
    RowLines,
    WatchedBytes,
    with_one_separator,
)
from prnn_cli.data.formats.text_options import TextOptions
from prnn_cli.errors import EmptyFileError, UserError

SEPARATORS = (",", ";", "\t", "|", "::", "||", "^", ":", " ", "\x01")
VALUE = re.compile(r"[-+]?\d[-+\d.,:/TZ ]*")  # a number or a time: no name of a column
NO_HEADER = "if its first line is no header, name the columns by dataset.header=[…, …]"

log = logging.getLogger(__name__)


class TextFile(DataFile):
    """A delimited text file. Cells are text, empty ones null; quoted cells may hold line ends."""

    options: TextOptions  # its separator is known

    @classmethod
    def open(cls, path: Path, options: TextOptions, wanted: Collection[str]) -> "TextFile":
        """Reads the header; a separator of None is found by it and by the `wanted` columns.

        Raises `UserError` for an empty or binary file.
        """
        check_is_text(path, options.encoding)
        with readable(path, options.encoding), open_text(path, options.encoding) as stream:
            first = next((line for line in RowLines(stream, None, options.comment) if line.strip()), None)
            if first is None:
                raise EmptyFileError(f"{path} is empty; it needs a header line and rows")
            options = options.with_separator(_find_separator(first, options, wanted))
            cells = _cells(first, options)
        file = cls(path, list(options.header or cells), f"with dataset.separator={options.separator!r}")
        file.options = options
        if file.seems_to_lack_a_header:
            file.layout += f"; {NO_HEADER}"
            if any(VALUE.fullmatch(name) for name in set(cells) & set(wanted)):
                shown = ", ".join(cells)
                log.warning("the first line of %s looks like a row (%s); %s", path, shown, NO_HEADER)
        return file

    @property
    def seems_to_lack_a_header(self) -> bool:
        """Whether the first line names columns by numbers or times, which are values rather than names."""
        return self.options.header is None and any(VALUE.fullmatch(name.strip()) for name in self.columns)

    def blocks(self, names: Collection[str], ids: Collection[str] = ()) -> Iterator[pa.Table]:
        if next(self._rows(), None) is None:
            return
        options, text = self.options, pa.string()
        types = {name: pa.dictionary(pa.int32(), text) if name in ids else text for name in names}
        with readable(self.path, options.encoding), _decoding_errors_raised():
            raw, content = open_bytes(self.path)
            stream, encoding = self._as_pyarrow_reads(content)
            num_rows = 0
            for batch in pa_csv.open_csv(
                stream,
                pa_csv.ReadOptions(encoding=encoding, block_size=BLOCK_BYTES, column_names=options.header),
                pa_csv.ParseOptions(
                    delimiter=options.one_separator,
                    quote_char='"' if options.has_quotes else False,
                    newlines_in_values=options.has_quotes,
                    invalid_row_handler=self._leave_out,
                ),
                pa_csv.ConvertOptions(
                    include_columns=list(names),
                    column_types=types,
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            ):
                self.position = raw.tell()
                num_rows += len(batch)
                yield pa.Table.from_batches([batch])
        if options.quoting == "auto" and options.has_quotes and stream.has_quotes:
            self._check_no_row_is_swallowed(num_rows + self.num_unparsed + (options.header is None))

    def place(self, row: int) -> str:
        """Says the file and the line, as an editor counts it."""
        whole = (lines for lines, cells in self._rows() if len(cells) == len(self.columns))
        lines = next(lines for number, lines in enumerate(whole) if number == row)
        return f"{self.path}, line {lines[0][0]}"

    def unparsed(self) -> Iterator[str]:
        width = len(self.columns)
        for lines, cells in self._rows():
            if len(cells) != width:
                over = f" over {len(lines)} lines (is a quote left open?)" if len(lines) > 1 else ""
                names = "the header has" if self.options.header is None else "dataset.header has"
                yield f"{self.path}, line {lines[0][0]} has {len(cells)} cells{over}, but {names} {width}"

    def _leave_out(self, row: Any) -> str:
        # a quote left open swallows the lines that follow
        self.num_unparsed += 1 + row.text.strip().count("\n")
        return "skip"

    def _as_pyarrow_reads(self, content: pa.NativeFile) -> tuple[WatchedBytes, str]:
        """(the content, its encoding): rewritten where it has what pyarrow doesn't know."""
        options = self.options
        if options.comment is None and options.one_separator == options.separator:
            return WatchedBytes(content), options.encoding
        text = as_lines(content, options.encoding)
        return WatchedBytes(RewrittenBytes(text, options.separator, options.comment)), "utf-8"

    def _check_no_row_is_swallowed(self, num_rows: int) -> None:
        if num_rows == self._as_pyarrow_reads(open_bytes(self.path)[1])[0].num_lines():
            return
        found = SwallowedRows(str(self.options.separator), len(self.columns))
        for lines, _ in self._rows():
            found.look_at(lines)
        if found.is_certain:
            raise UserError(
                f"{self.path}, line {found.first_line}: a quote at the beginning of a cell holds "
                f"{found.longest} lines together that look like rows of their own ({found.num_rows:,} rows of the file "
                "are lost in this way); set dataset.quoting=none where quotes are characters like others, "
                "or dataset.quoting=double where such cells are meant"
            )

    def _rows(self) -> Iterator[tuple[list[tuple[int, str]], list[str]]]:
        """Yields (the lines that it stands on, with their numbers; its cells) for each row: slow, so for the first
        row and for messages."""
        options = self.options
        with readable(self.path, options.encoding), open_text(self.path, options.encoding) as stream:
            lines = RowLines(stream, options.separator, options.comment)
            header_seen = options.header is not None
            for cells in _reader(lines, options):
                taken, lines.taken = lines.taken, []
                if cells and header_seen:
                    yield taken, cells
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


def _find_separator(first: str, options: TextOptions, wanted: Collection[str]) -> str:
    """The separator that was set, or else the one that fits the first line best."""

    def fit(separator: str) -> tuple[bool, int, int]:
        cells = _cells(first, options.with_separator(separator))
        filled = sum(bool(cell) for cell in cells)
        return len(cells) == len(options.header or ()), len(set(cells) & set(wanted)), filled

    return options.separator or max(SEPARATORS, key=fit)


def _cells(line: str, options: TextOptions) -> list[str]:
    return next(_reader([with_one_separator(line, options.separator)], options))


def _reader(lines: Any, options: TextOptions) -> Iterator[list[str]]:
    csv.field_size_limit(BLOCK_BYTES)
    return csv.reader(
        lines,
        delimiter=options.one_separator,
        quoting=csv.QUOTE_MINIMAL if options.has_quotes else csv.QUOTE_NONE,
    )
