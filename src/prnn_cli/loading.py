"""Imports of what is large, without the search for garbage meanwhile."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager


class _Process:
    is_own = False


def own_process() -> None:
    """Says that the process runs prnn and nothing else, so that what is no garbage when prnn has been loaded stays, and
    torch, not loaded yet, may be told how to allocate memory."""
    _Process.is_own = True
    # Tables on large pages: rows here and there of a large one are on as many small ones, which the CPU looks up.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


@contextmanager
def loading() -> Iterator[None]:
    """Puts off Python's search for garbage while modules are imported, and leaves all that there is then out of it.

    torch and pandas make a million objects, nearly all of which stay, and searching them again and again takes a fifth
    of the time to the first step. In a process that is not prnn's own nothing is changed, as garbage of others would
    stay, too.
    """
    if not (_Process.is_own and gc.isenabled()):
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
