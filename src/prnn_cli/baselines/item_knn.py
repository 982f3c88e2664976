"""Item-kNN: the items that share most sessions with the last click, as in Hidasi et al. (RecSys 2016).

    s_ij = C_ij / ((supp_i + λ)^α (supp_j + λ)^(1 - α)),   s_ii = 0

C_ij counts the sessions that hold both i and j, supp_i those that hold i, however often they click it.
"""

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from prnn_cli.baselines.baseline import Baseline
from prnn_cli.baselines.last_click import LastClickScorer
from prnn_cli.data.sessions import Sessions
from prnn_cli.schema import ItemKnnConfig
from prnn_cli.system.progress import meter

PAIRS_A_BLOCK = 2**22  # pairs of items counted at a time: about 100 MB


class ItemKnn(LastClickScorer):
    """Scores by the similarity s_ij of the last click i."""

    @classmethod
    def fit(cls, sessions: Sessions, config: ItemKnnConfig) -> "ItemKnn":
        """Keeps each item's `num_neighbours` most similar items; of equal ones those of lower index."""
        held = _session_item_matrix(sessions)
        holders = held.T.tocsr()  # (num_items, num_sessions)
        support = np.diff(holders.indptr) + config.regularisation
        of_item, of_other = support**config.alpha, support ** (1 - config.alpha)
        blocks = []
        with meter("fitting item_knn", sessions.num_items) as progress:
            for rows in _blocks(held, holders):
                similarity = holders[rows] @ held
                shared, item, other = similarity.data, _rows(similarity) + rows.start, similarity.indices
                similarity.data = (shared / (of_item[item] * of_other[other])).astype(np.float32)
                similarity.data[item == other] = 0
                blocks.append(_most_similar(similarity, config.num_neighbours))
                progress.update(rows.stop, "items")
        return cls("item_knn", sparse.vstack(blocks, format="csr"))


BASELINES = {
    "item_knn": Baseline("Item-kNN", lambda data, options: ItemKnn.fit(data.train, options), ItemKnnConfig)
}


def _session_item_matrix(sessions: Sessions) -> sparse.csr_array:
    """The matrix (num_sessions, num_items) that is 1 where the session holds the item."""
    clicks = np.ones(sessions.num_events, dtype=np.int32)
    shape = (sessions.num_sessions, sessions.num_items)
    # scipy keeps both index arrays in one type, and those of the items are int32.
    small = np.int32 if sessions.num_events <= np.iinfo(np.int32).max else np.int64
    offsets = sessions.offsets.astype(small)
    held = sparse.csr_array((clicks, sessions.items, offsets), shape=shape, copy=True)
    held.sum_duplicates()
    held.data[:] = 1
    return held


def _blocks(held: sparse.csr_array, holders: sparse.csr_array) -> Iterator[slice]:
    """Yields runs of items whose sessions hold about PAIRS_A_BLOCK items together, which bounds the product's size."""
    pairs = np.cumsum(holders @ np.diff(held.indptr))  # up to each item
    ends = np.searchsorted(pairs, np.arange(PAIRS_A_BLOCK, pairs[-1] + PAIRS_A_BLOCK, PAIRS_A_BLOCK))
    bounds = np.unique(np.concatenate([[0], ends, [len(pairs)]]))
    for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        yield slice(start, stop)


def _most_similar(similarity: sparse.csr_array, n: int) -> sparse.csr_array:
    """The n largest values of each row, zeros left out."""
    row, values = _rows(similarity), similarity.data
    least = np.zeros(similarity.shape[0], dtype=np.float32)  # that a value needs to stay
    for crowded in np.flatnonzero(np.diff(similarity.indptr) > n):
        of_row = values[similarity.indptr[crowded] : similarity.indptr[crowded + 1]]
        least[crowded] = np.partition(of_row, len(of_row) - n)[len(of_row) - n]
    kept = (values >= least[row]) & (values > 0)
    too_many = np.bincount(row[kept], minlength=len(least)) - n
    tied = np.flatnonzero(kept & (too_many > 0)[row] & (values == least[row]))
    tied = tied[np.lexsort((-similarity.indices[tied], row[tied]))]  # highest index first
    place = np.arange(len(tied)) - np.searchsorted(row[tied], row[tied])  # among the row's own
    kept[tied[place < too_many[row[tied]]]] = False
    starts = np.append(0, np.cumsum(np.bincount(row[kept], minlength=len(least)))).astype(np.int32)
    return sparse.csr_array((values[kept], similarity.indices[kept], starts), shape=similarity.shape)


def _rows(matrix: sparse.csr_array) -> np.ndarray:
    """The row of each of the stored values."""
    rows: np.ndarray = np.repeat(np.arange(matrix.shape[0], dtype=np.int32), np.diff(matrix.indptr))
    return rows
