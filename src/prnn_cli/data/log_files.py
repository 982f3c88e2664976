"""Paths -> Arrow tables: finds the files of a log, reads the columns asked for, says where a row stands."""

import codecs
import contextlib
import csv
import glob
import gzip
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from prnn_cli.errors import UserError

TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
PARQUET_SUFFIXES = (".parquet",)
SEPARATORS = ",;\t|^: \x01"


def find_files(path: str | None, option: str = "dataset.path") -> list[Path]:
    """The files of a log, sorted by path: the file itself, a folder's data files, or a glob's matches.

    `option` is where the path was set, for messages.
    """
    if not path:
        raise UserError(f"{option} is not set; give a file, a folder or a glob such as logs/*.csv")
    expanded = Path(path).expanduser()
    if expanded.is_dir():
        return _files_in(expanded)
    if expanded.exists():
        return [_known(expanded)]
    if glob.has_magic(path):
        return _matches_of(str(expanded), option)
    raise UserError(f"{option}={path} does not exist; give a file, a folder or a glob such as logs/*.csv")


def open_file(path: Path, separator: str | None, encoding: str, wanted: Collection[str]) -> "LogFile":
    """Reads the header only. `wanted` columns help to find the separator when it is None."""
    if path.name.lower().endswith(PARQUET_SUFFIXES):
        return _open_parquet(path)
    _check_text_options(separator, encoding)
    with _readable(path, encoding), _open_text(path, encoding) as stream:
        header = next((line for line in stream if line.strip()), None)
    if header is None:
        raise UserError(f"{path} is empty; it needs a header line and rows")
    separator = separator or _find_separator(header, wanted)
    return TextFile(path, _split(header, separator), separator, encoding)


@dataclass(frozen=True)
class ParquetFile:
    path: Path
    columns: list[str]
    layout = ""

    def read(self, names: Collection[str]) -> pa.Table:
        """The named columns, which must exist; empty text as null."""
        with _readable(self.path):
            table = pq.ParquetFile(self.path).read(columns=list(names))
        return pa.table({name: _plain(table[name]) for name in names})

    def place(self, row: int) -> str:
        """Where row number `row` (from 0) stands, for a person."""
        return f"{self.path}, row {row + 1}"


@dataclass(frozen=True)
class TextFile:
    """Delimited text with a header line, plain or gzipped; quoted cells may hold line ends."""

    path: Path
    columns: list[str]
    separator: str
    encoding: str

    @property
    def layout(self) -> str:
        """How the columns were told apart, for messages."""
        return f"with dataset.separator={self.separator!r}"

    def read(self, names: Collection[str]) -> pa.Table:
        """The named columns, which must exist, as text; empty cells as null."""
        as_text = {name: pa.string() for name in names}
        with _readable(self.path, self.encoding):
            if next(self._rows(), None) is None:
                return pa.table({name: pa.array([], pa.string()) for name in names})
            try:
                return pa_csv.read_csv(
                    self.path,
                    pa_csv.ReadOptions(encoding=self.encoding),
                    pa_csv.ParseOptions(delimiter=self.separator, newlines_in_values=True),
                    pa_csv.ConvertOptions(
                        include_columns=list(names),
                        column_types=as_text,
                        null_values=[""],
                        strings_can_be_null=True,
                    ),
                )
            except pa.ArrowInvalid:
                self._refuse_ragged_row()
                raise

    def place(self, row: int) -> str:
        """Where row number `row` (from 0) stands, for a person: the line as an editor counts it."""
        line, _ = next(each for number, each in enumerate(self._rows()) if number == row)
        return f"{self.path}, line {line}"

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """(line number at which it begins, cells) of each row: slow, so for the first row and for errors."""
        with _open_text(self.path, self.encoding) as stream:
            reader = csv.reader(stream, delimiter=self.separator)
            header_seen = False
            last_line = 0
            for cells in reader:
                first_line, last_line = last_line + 1, reader.line_num
                if cells and header_seen:
                    yield first_line, cells
                header_seen = header_seen or bool(cells)

    def _refuse_ragged_row(self) -> None:
        width = len(self.columns)
        for line, cells in self._rows():
            if len(cells) != width:
                raise UserError(
                    f"{self.path}, line {line} has {len(cells)} cells, but the header has {width}; "
                    f"mend the line (read {self.layout})"
                )


LogFile = ParquetFile | TextFile


def _open_parquet(path: Path) -> ParquetFile:
    if path.stat().st_size == 0:
        raise UserError(f"{path} is empty; a Parquet file needs a schema and rows")
    with _readable(path):
        return ParquetFile(path, pq.read_schema(path).names)


def _check_text_options(separator: str | None, encoding: str) -> None:
    if separator is not None and len(separator) != 1:
        raise UserError(f"dataset.separator={separator!r} must be one character; null finds it by itself")
    try:
        "".encode(encoding)
    except LookupError as error:
        raise UserError(f"dataset.encoding={encoding} does not exist; try utf-8 or cp1252") from error


def _files_in(folder: Path) -> list[Path]:
    files = sorted(path for path in folder.iterdir() if path.is_file() and _is_data(path))
    if not files:
        raise UserError(f"{folder} holds no data files; they must end in {_suffixes()}")
    return files


def _matches_of(pattern: str, option: str) -> list[Path]:
    matches = [Path(match) for match in glob.glob(pattern, recursive=True)]  # noqa: PTH207 (may be absolute)
    files = sorted(path for path in matches if path.is_file())
    if not files:
        raise UserError(f"{option}={pattern} matches no file; check the folder and the pattern")
    return [_known(path) for path in files]


def _known(path: Path) -> Path:
    if not path.name.lower().endswith(TEXT_SUFFIXES + PARQUET_SUFFIXES):
        raise UserError(f"{path} has an unknown extension; a data file must end in {_suffixes()}")
    return path


def _is_data(path: Path) -> bool:
    hidden = path.name.startswith((".", "_"))
    return not hidden and path.name.lower().endswith(TEXT_SUFFIXES + PARQUET_SUFFIXES)


def _suffixes() -> str:
    return ", ".join(TEXT_SUFFIXES + PARQUET_SUFFIXES)


def _open_text(path: Path, encoding: str) -> TextIO:
    # utf-8-sig skips the mark that spreadsheet programs put at the beginning
    name = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding=name, newline="")
    return path.open(encoding=name, newline="")


def _find_separator(header: str, wanted: Collection[str]) -> str:
    def fit(separator: str) -> tuple[int, int]:
        names = _split(header, separator)
        return len(set(names) & set(wanted)), len(names)

    return max(SEPARATORS, key=fit)


def _split(header: str, separator: str) -> list[str]:
    return next(csv.reader([header], delimiter=separator))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Without dictionaries and large or view strings; empty text as null, as in a CSV."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = column.cast(pa.string())
        empty = pc.equal(column, "")
        return pc.if_else(empty, pa.scalar(None, pa.string()), column)
    return column


@contextlib.contextmanager
def _readable(path: Path, encoding: str = "utf-8") -> Iterator[None]:
    """Turns the many errors of damaged or mislabelled files into one sentence."""
    try:
        yield
    except UnicodeError as error:
        raise UserError(f"{path} is not {encoding} text ({error}); set dataset.encoding") from error
    except (OSError, EOFError, pa.ArrowException, csv.Error) as error:
        reason = str(error).splitlines()[0]
        hint = "set dataset.encoding" if "UTF8" in reason else "check that its extension tells its format"
        raise UserError(f"{path} cannot be read ({reason}); {hint}") from error
