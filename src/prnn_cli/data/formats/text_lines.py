"""The lines of a text file, bounded in length, and the bytes that pyarrow's reader of CSV is given."""

import io
from collections.abc import Iterator
from functools import partial
from typing import Any, TextIO

from prnn_cli.data.formats.data_file import BLOCK_BYTES, TooLongRowError

ONE_SEPARATOR = "\x1f"  # stands for a separator of several characters while pyarrow and csv read the text
AT_ONCE = 1 << 20  # characters


def bounded_lines(stream: TextIO) -> Iterator[str]:
    """The lines of a text with their ends; raises `TooLongRowError` before it holds more of one than a row may have."""
    for line in iter(partial(stream.readline, BLOCK_BYTES + 1), ""):
        if len(line) > BLOCK_BYTES:
            raise TooLongRowError
        yield line


class RowLines:
    """The lines of a text that are no comments, with one separator, numbered as an editor does.

    taken: (number, line) of those handed out since `taken` was last emptied, as they stand in the file
    """

    def __init__(self, stream: TextIO, separator: str | None, comment: str | None) -> None:
        self._lines = enumerate(bounded_lines(stream), 1)
        self.separator, self.comment = separator, comment
        self.taken: list[tuple[int, str]] = []

    def __iter__(self) -> Iterator[str]:
        for number, line in self._lines:
            if self.comment is None or not line.startswith(self.comment):
                self.taken.append((number, line))
                yield with_one_separator(line, self.separator)


def is_plain(separator: str) -> bool:
    """Whether pyarrow can separate by it: it is a single character of ASCII."""
    return len(separator) == 1 and separator.isascii()


def with_one_separator(text: str, separator: str | None) -> str:
    """The text with `ONE_SEPARATOR` for a separator that is not plain."""
    return text if separator is None or is_plain(separator) else text.replace(separator, ONE_SEPARATOR)


class WatchedBytes:
    """A stream for pyarrow that tells whether there was a quote among what it has handed out."""

    closed = False

    def __init__(self, content: Any) -> None:
        self._content = content
        self.has_quotes = False

    def read(self, size: int) -> bytes:
        block: bytes = self._content.read(size)
        self.has_quotes = self.has_quotes or b'"' in block
        return block

    def num_lines(self) -> int:
        """Reads on to the end, counting lines."""
        newlines, last = 0, b"\n"
        while block := self.read(AT_ONCE):
            newlines, last = newlines + block.count(b"\n"), block[-1:]
        return newlines + (last != b"\n")

    def close(self) -> None:
        self.closed = True

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False


class RewrittenBytes(io.RawIOBase):
    """A text as UTF-8, without comments and with one separator. Slower than the bytes as they are."""

    def __init__(self, stream: TextIO, separator: str | None, comment: str | None) -> None:
        self._stream = stream  # which closes the file when it is given up
        self._lines = bounded_lines(stream)
        self._separator, self._comment = separator, comment
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = memoryview(with_one_separator(self._some_lines(), self._separator).encode())
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size

    def _some_lines(self) -> str:
        lines, size = [], 0
        for line in self._lines:
            if self._comment is None or not line.startswith(self._comment):
                lines.append(line)
                size += len(line)
            if size >= AT_ONCE:
                break
        return "".join(lines)
