"""The base of all formats of a log or an items table, and how their bytes are opened."""

import codecs
import contextlib
import csv
import io
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TextIO, cast

import pyarrow as pa

from prnn_cli.data.formats.column_values import as_text
from prnn_cli.errors import UserError, first_line

BLOCK_BYTES = 8 << 20  # of text that is parsed at a time, and so the most that a row may take
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}

# The first bytes of what is often given a wrong name, and what it is.
MAGIC = {
    b"PK\x03\x04": "a ZIP archive or a spreadsheet; unpack it, or save it as CSV",
    b"\x1f\x8b": "compressed with gzip; let its name end in .gz",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; let its name end in .zst",
    b"PAR1": "a Parquet file; let its name end in .parquet",
}


class TooLongRowError(ValueError):
    """A row of more than `BLOCK_BYTES`, which is read no further."""


class DataFile(ABC):
    """A table in a file, read block by block. Rows are numbered from 0; those that don't parse have no number.

    columns: names in the header
    layout: how the columns were told apart, for messages; may be empty
    position: bytes of the file that `blocks` has read so far
    num_unparsed: rows that `blocks` has met and left out, since they are no rows of this table
    """

    def __init__(self, path: Path, columns: list[str], layout: str = "") -> None:
        self.path, self.columns, self.layout = path, columns, layout
        self.position = 0
        self.num_unparsed = 0

    @abstractmethod
    def blocks(self, names: Collection[str], ids: Collection[str] = ()) -> Iterator[pa.Table]:
        """Yields tables of the named columns, which must exist; empty text is null.

        Columns in `ids` may come as dictionaries, which saves memory.
        """

    @abstractmethod
    def place(self, row: int) -> str:
        """Says where the row of this number stands. Reads the file again: for messages only."""

    def unparsed(self) -> Iterator[str]:
        """Yields where each row stands that doesn't parse, and why. Reads the file again: for messages only."""
        return iter(())

    @property
    def unique_columns(self) -> list[str]:
        """The names that no two columns have."""
        return [name for name in self.columns if self.columns.count(name) == 1]

    def read(self, names: Collection[str]) -> pa.Table:
        """The named columns of all rows at once; raises `UserError` for a row that doesn't parse."""
        blocks = list(self.blocks(names))
        self.check_parsed()
        if not blocks:
            return pa.table({name: pa.array([], pa.string()) for name in names})
        return pa.table({name: self._joined([block[name] for block in blocks], name) for name in names})

    def check_parsed(self) -> None:
        """Raises `UserError` where `blocks` has left a row out."""
        if self.num_unparsed:
            raise UserError(f"{next(self.unparsed())}; mend it{self.layout and f' (read {self.layout})'}")

    def _joined(self, parts: list[pa.ChunkedArray], name: str) -> pa.ChunkedArray:
        """A column of all blocks, as text where they differ in type, as blocks of JSON may."""
        kinds = list(dict.fromkeys(part.type for part in parts))
        try:
            if len(kinds) > 1:
                parts = [as_text(part) for part in parts]
        except pa.ArrowException as error:
            raise UserError(
                f"{self.path}, column {name!r} holds values of the types {', '.join(map(str, kinds))}; make "
                "all of them text, or whole numbers"
            ) from error
        return pa.chunked_array([chunk for part in parts for chunk in part.chunks], parts[0].type)


def open_bytes(path: Path) -> tuple[pa.NativeFile, pa.NativeFile]:
    """Opens (the file as it lies on the disk, its content); both are the same where it isn't compressed.

    The first tells how much of the file has been read, which its size is compared with.
    """
    raw = pa.OSFile(str(path))
    compression = COMPRESSIONS.get(path.suffix.lower())
    return raw, pa.CompressedInputStream(raw, compression) if compression else raw


def open_text(path: Path, encoding: str) -> TextIO:
    """Opens the text of a file that may be compressed, its line ends as they are."""
    return as_lines(open_bytes(path)[1], encoding)


def as_lines(content: pa.NativeFile, encoding: str) -> TextIO:
    """Decodes content as text, whose lines keep their ends."""
    # utf-8-sig skips the mark that spreadsheet programs put at the beginning
    name = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    return io.TextIOWrapper(io.BufferedReader(cast(io.RawIOBase, content), 1 << 20), name, newline="")


def check_is_text(path: Path, encoding: str) -> None:
    """Raises `UserError` where a file that should be text begins as none does."""
    if encoding.lower().replace("-", "").startswith(("utf16", "utf32")):
        return
    with readable(path, encoding):
        head = open_bytes(path)[1].read(4096)
    for magic, what in MAGIC.items():
        if head.startswith(magic):
            raise UserError(f"{path} is no text but {what}")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UserError(f"{path} is not {encoding} text; set dataset.encoding=utf-16")
    if b"\0" in head:
        raise UserError(f"{path} is a binary file; give CSV, TSV, JSON Lines or Parquet")


@contextlib.contextmanager
def readable(path: Path, encoding: str = "utf-8") -> Iterator[None]:
    """Turns the many errors of damaged or mislabelled files into a `UserError`."""
    try:
        yield
    except UnicodeError as error:
        raise UserError(f"{path} is not {encoding} text ({error}); set dataset.encoding") from error
    except (OSError, EOFError, pa.ArrowException, csv.Error, TooLongRowError) as error:
        reason = first_line(error)
        if "runcated" in reason or "ended before" in reason:
            line = _last_line(path)
            raise UserError(
                f"{path} breaks off after about line {line}: the compressed file is cut short; copy it again"
            ) from error
        if isinstance(error, TooLongRowError) or "straddling" in reason or "field limit" in reason:
            raise UserError(
                f"{path} has a row of more than {BLOCK_BYTES >> 20} MB, which is no row of a log or an items table; "
                "is a quote left open? dataset.quoting=none takes quotes as they are"
            ) from error
        hint = "set dataset.encoding" if "UTF8" in reason else "check that its extension tells its format"
        raise UserError(f"{path} cannot be read ({reason}); {hint}") from error


def _last_line(path: Path) -> int:
    """The number of lines that a damaged compressed file still yields."""
    lines = 0
    with contextlib.suppress(OSError, EOFError):
        stream = open_bytes(path)[1]
        while block := stream.read(1 << 10):
            lines += block.count(b"\n")
    return lines
