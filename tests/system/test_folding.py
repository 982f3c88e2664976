"""What stdout and stderr print on terminals of other widths, beside each other, and in a pipe."""

import fcntl
import io
import os
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pytest

from prnn_cli.system.folding import folded, terminal_width

SENTENCE = "the loss is not finite; lower subnets.text.learning_rate"
PATH = "/a/folder/whose/name/is/long/clicks.csv"


@contextmanager
def terminal(columns: int) -> Iterator[tuple[IO[str], int]]:
    """A terminal of so many columns: the stream that writes to it, and the descriptor that reads what it shows."""
    screen, writer = os.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    try:
        with os.fdopen(writer, "w") as stream:
            yield stream, screen
    finally:
        os.close(screen)


@pytest.fixture(autouse=True)
def no_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)


def test_a_pipe_gets_the_text_as_it_is() -> None:
    assert folded(f"{SENTENCE}\n{SENTENCE}", io.StringIO()) == f"{SENTENCE}\n{SENTENCE}"


def test_a_terminal_gets_lines_that_end_between_words() -> None:
    with terminal(30) as (stream, _):
        assert folded(SENTENCE, stream).splitlines() == [
            "the loss is not finite; lower",
            "  subnets.text.learning_rate",
        ]


def test_each_line_is_folded_by_itself_and_a_short_one_stays() -> None:
    with terminal(16) as (stream, _):
        assert folded("one two three four\n  a   b\n", stream) == "one two three\n  four\n  a   b\n"


def test_a_long_path_stays_whole() -> None:
    with terminal(20) as (stream, _):
        assert folded(f"{PATH} does not exist", stream).splitlines() == [PATH, "  does not exist"]


@pytest.mark.parametrize(
    ("columns", "named", "width"),
    [(100, None, 100), (100, "60", 60), (100, "0", 100), (100, "wide", 100), (0, None, 80)],
)
def test_the_width_is_that_of_the_streams_own_terminal_or_of_columns(
    columns: int, named: str | None, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if named is not None:
        monkeypatch.setenv("COLUMNS", named)
    with terminal(columns) as (stream, _):
        assert terminal_width(stream) == width


def test_an_error_has_the_width_of_stderr_where_stdout_is_a_pipe() -> None:
    """As in `prnn … | less`."""
    command = [sys.executable, "-m", "prnn_cli", "trian"]
    with terminal(50) as (stream, screen):
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stream)
        lines = os.read(screen, 65536).decode().splitlines()
    assert (ended.returncode, ended.stdout) == (2, b"")
    assert lines[0] == "prnn: prnn has no command 'trian'; did you mean"
    assert all(len(line) <= 50 for line in lines)
