"""Pairs of items that sessions hold together, counted a block of items at a time, which bounds memory."""

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from prnn_cli.data.sessions import Sessions

PAIRS_A_BLOCK = 2**22  # about 100 MB


def session_item_matrix(sessions: Sessions) -> sparse.csr_array:
    """The clicks of each session on each item, (num_sessions, num_items) int32."""
    clicks = np.ones(sessions.num_events, dtype=np.int32)
    shape = (sessions.num_sessions, sessions.num_items)
    # scipy keeps both index arrays in one type, and those of the items are int32.
    small = np.int32 if sessions.num_events <= np.iinfo(np.int32).max else np.int64
    offsets = sessions.offsets.astype(small)
    held = sparse.csr_array((clicks, sessions.items, offsets), shape=shape, copy=True)
    held.sum_duplicates()
    return held


def blocks_of_items(held: sparse.csr_array, holders: sparse.csr_array) -> Iterator[slice]:
    """Yields runs of items whose sessions hold about PAIRS_A_BLOCK items together, which bounds the product's size."""
    pairs = np.cumsum(holders @ np.diff(held.indptr))  # up to each item
    ends = np.searchsorted(pairs, np.arange(PAIRS_A_BLOCK, pairs[-1] + PAIRS_A_BLOCK, PAIRS_A_BLOCK))
    bounds = np.unique(np.concatenate([[0], ends, [len(pairs)]]))
    for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        yield slice(start, stop)


def strongest(matrix: sparse.csr_array, n: int) -> sparse.csr_array:
    """The n largest values of each row, zeros left out; of equal ones at the cut those of lower index."""
    row, values = rows_of(matrix), matrix.data
    least = np.zeros(matrix.shape[0], dtype=np.float32)  # that a value needs to stay
    for crowded in np.flatnonzero(np.diff(matrix.indptr) > n):
        of_row = values[matrix.indptr[crowded] : matrix.indptr[crowded + 1]]
        least[crowded] = np.partition(of_row, len(of_row) - n)[len(of_row) - n]
    kept = (values >= least[row]) & (values > 0)
    too_many = np.bincount(row[kept], minlength=len(least)) - n
    tied = np.flatnonzero(kept & (too_many > 0)[row] & (values == least[row]))
    tied = tied[np.lexsort((-matrix.indices[tied], row[tied]))]  # highest index first
    place = np.arange(len(tied)) - np.searchsorted(row[tied], row[tied])  # among the row's own
    kept[tied[place < too_many[row[tied]]]] = False
    starts = np.append(0, np.cumsum(np.bincount(row[kept], minlength=len(least)))).astype(np.int32)
    return sparse.csr_array((values[kept], matrix.indices[kept], starts), shape=matrix.shape)


def rows_of(matrix: sparse.csr_array) -> np.ndarray:
    """The row of each of the stored values."""
    rows: np.ndarray = np.repeat(np.arange(matrix.shape[0], dtype=np.int32), np.diff(matrix.indptr))
    return rows
