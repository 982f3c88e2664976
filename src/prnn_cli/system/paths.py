"""Paths in the form in which they are compared and stored."""

import glob
from collections.abc import Callable
from pathlib import Path
from typing import Any


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


def with_each_path(value: Any, change: Callable[[str], str]) -> Any:
    """The value of an option that names files, a path or a list or mapping of paths, with each of them changed."""
    if isinstance(value, dict):
        return {key: with_each_path(path, change) for key, path in value.items()}
    if isinstance(value, list):
        return [with_each_path(path, change) for path in value]
    return value if value is None else change(str(value))
