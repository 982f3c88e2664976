"""What makes a loop of the functions in this package."""

from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function compiled at its first call, without Python's lock; kept for later processes where a folder can be
    written: __pycache__ beside the file, the user's cache, or NUMBA_CACHE_DIR."""
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # numba's, where none can
        return njit(nogil=True)(function)
