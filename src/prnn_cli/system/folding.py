"""Sentences on a terminal, folded between words; in a pipe or a file they stay as they are."""

import os
import textwrap
from typing import IO

WIDTH = 80  # of a terminal that does not say its own


def folded(text: str, stream: IO[str], indent: int = 2) -> str:
    """The text as it is to be printed on `stream`: where that is a terminal, each line is folded between words.

    A word that is longer than a line, such as a path, stays whole. indent: of what follows the first line of a fold
    """
    width = terminal_width(stream)
    if width is None:
        return text
    fold = textwrap.TextWrapper(
        max(width, 2 * indent), subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(map(fold.fill, text.split("\n")))


def terminal_width(stream: IO[str]) -> int | None:
    """The columns of the terminal that `stream` is, or those that COLUMNS names; None where it is no terminal."""
    if not stream.isatty():
        return None
    named = os.environ.get("COLUMNS", "")
    if named.isdecimal() and int(named):
        return int(named)
    try:
        return os.get_terminal_size(stream.fileno()).columns or WIDTH
    except (OSError, ValueError):
        return WIDTH
