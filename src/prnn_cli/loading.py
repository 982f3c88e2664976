"""Imports of what is large, without the search for garbage meanwhile."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Puts off Python's search for garbage while modules are imported, and leaves what they made out of it for good.

    Importing torch and pandas makes a million objects, nearly all of which stay; a search at each so many of them takes
    a fifth of the time to the first step. Once torch is there, nothing is changed: that is also so where prnn is a part
    of another program, whose garbage must not stay.
    """
    if "torch" in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
