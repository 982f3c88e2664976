"""Vectors of some items, in any order -> a row for each item of the log."""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd

from prnn_cli.errors import UserError
from prnn_cli.features.items import match

ROWS_A_BLOCK = 2**14  # converted at a time, so that half precision needs no second table in full precision

log = logging.getLogger(__name__)


def placed(
    matrix: np.ndarray, ids: Sequence[str], item_ids: np.ndarray, normalise: bool, source: str
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (num_items, F) float32, or float16 as the matrix is, and (num_items,) bool which items have one.

    matrix: (num_rows, F); ids: of its rows; of an item that comes twice the first row counts
    normalise: to an l2 norm of 1
    source: where the vectors come from, for messages
    The other items' vectors are zero; a row of zeros is no vector. Raises `UserError` where the vectors are of other
    items alone, and for values that are no finite numbers.
    """
    described = pd.Series(ids, dtype=object)
    repeated = described.duplicated().to_numpy()
    if repeated.any():
        log.warning("%s repeats items in %d rows; the first row of an item counts", source, repeated.sum())
    kept = np.flatnonzero(~repeated)
    rows = match(described[kept], item_ids, source)
    found = rows >= 0
    sources = kept[rows[found]]
    dtype = np.float16 if matrix.dtype == np.float16 else np.float32
    vectors = np.zeros((len(item_ids), matrix.shape[1]), dtype=dtype)
    items = np.flatnonzero(found)
    for start in range(0, len(items), ROWS_A_BLOCK):
        block = slice(start, start + ROWS_A_BLOCK)
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused
            rows = matrix[sources[block]].astype(np.float32)
        _check_finite(rows, item_ids[items[block]], source)
        if normalise:
            norms = np.linalg.norm(rows, axis=1, keepdims=True)
            np.divide(rows, norms, out=rows, where=norms > 0)
        vectors[items[block]] = rows
        found[items[block]] = rows.any(axis=1)
    return vectors, found


def _check_finite(vectors: np.ndarray, item_ids: np.ndarray, source: str) -> None:
    bad = ~np.isfinite(vectors).all(axis=1)
    if bad.any():
        item = int(bad.argmax())
        value = vectors[item][~np.isfinite(vectors[item])][0]
        raise UserError(
            f"{source}: the vector of item {item_ids[item]!r} holds {value}; every value must be a finite number"
        )
