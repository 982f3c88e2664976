"""Ids as users write them -> item_index, for all who ask a finished model."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

WHOLE = re.compile(r"[+-]?\d+\.0+")  # a whole number that pandas has made a float of


def places_of(index: pd.Index, ids: Iterable[Any]) -> np.ndarray:
    """The item_index of each id, −1 for one that is not known. index: the known ids, which are text

    Space around an id is no part of it, and 17.0 is 17, unless 17.0 itself is known.
    """
    texts = [str(each).strip() for each in ids]
    found: np.ndarray = index.get_indexer(pd.Index(texts, dtype=object))
    missing = [n for n in np.flatnonzero(found < 0).tolist() if WHOLE.fullmatch(texts[n])]
    if missing:
        whole = pd.Index([texts[n].partition(".")[0] for n in missing], dtype=object)
        found[missing] = index.get_indexer(whole)
    return found


def place_in(known: Mapping[str, int], each: str) -> int:
    """The same of one id, by a dict, which answers a few of them in less time."""
    text = each.strip()
    if (place := known.get(text)) is None and WHOLE.fullmatch(text):
        place = known.get(text.partition(".")[0])
    return -1 if place is None else place
