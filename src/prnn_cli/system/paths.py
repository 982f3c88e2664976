"""Paths in the form in which they are compared and stored."""

import glob
from pathlib import Path


def absolute_path(path: str | Path) -> Path:
    """The path from the root, without `~` and `..`; links are followed only where they stand before a `..`.

    The path may be a glob, and need not exist.
    """
    absolute = Path(path).expanduser().absolute()
    if ".." not in absolute.parts:
        return absolute
    end = len(absolute.parts) - absolute.parts[::-1].index("..")
    upward = Path(*absolute.parts[:end])
    return absolute if glob.has_magic(str(upward)) else upward.resolve().joinpath(*absolute.parts[end:])
