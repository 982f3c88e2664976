"""Item-kNN: the items that share most sessions with the last click, as in Hidasi et al. (RecSys 2016).

    s_ij = C_ij / ((supp_i + λ)^α (supp_j + λ)^(1 - α)),   s_ii = 0

C_ij counts the sessions that hold both i and j, supp_i those that hold i, however often they click it.
"""

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from prnn_cli.baselines.last_click import LastClickScorer
from prnn_cli.data.sessions import Sessions
from prnn_cli.schema import ItemKnnConfig

PAIRS_A_BLOCK = 2**22  # pairs of items counted at a time: about 200 MB


class ItemKnn(LastClickScorer):
    @classmethod
    def fit(cls, sessions: Sessions, config: ItemKnnConfig) -> "ItemKnn":
        """Keeps each item's `num_neighbours` most similar items; of equal ones those of lower index."""
        held = _session_item_matrix(sessions)
        holders = held.T.tocsr()  # (num_items, num_sessions)
        support = np.diff(holders.indptr) + config.regularisation
        blocks = []
        for rows in _blocks(held, holders):
            shared = (holders[rows] @ held).tocoo()
            item, other = shared.row + rows.start, shared.col
            similarity = shared.data / (support[item] ** config.alpha * support[other] ** (1 - config.alpha))
            similarity = np.where(item == other, 0, similarity).astype(np.float32)
            blocks.append(_most_similar(item, other, similarity, config.num_neighbours))
        item, other, similarity = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
        shape = (sessions.num_items, sessions.num_items)
        return cls("item_knn", sparse.csr_array((similarity, (item, other)), shape=shape))

    def neighbours(self, item: int, n: int) -> list[tuple[int, float]]:
        """The n most similar items, best first: (item_index, similarity); fewer if fewer share a session."""
        row = self.matrix[[item]]
        best = np.lexsort((row.indices, -row.data))[:n]
        return list(zip(row.indices[best].tolist(), row.data[best].tolist(), strict=True))


def _session_item_matrix(sessions: Sessions) -> sparse.csr_array:
    """(num_sessions, num_items), 1 where the session holds the item."""
    clicks = np.ones(sessions.num_events, dtype=np.int32)
    shape = (sessions.num_sessions, sessions.num_items)
    held = sparse.csr_array((clicks, sessions.items, sessions.offsets), shape=shape, copy=True)
    held.sum_duplicates()
    held.data[:] = 1
    return held


def _blocks(held: sparse.csr_array, holders: sparse.csr_array) -> Iterator[slice]:
    """Runs of items whose sessions hold about PAIRS_A_BLOCK items together: it bounds the product's size."""
    pairs = np.cumsum(holders @ np.diff(held.indptr))  # up to each item
    ends = np.searchsorted(pairs, np.arange(PAIRS_A_BLOCK, pairs[-1] + PAIRS_A_BLOCK, PAIRS_A_BLOCK))
    bounds = np.unique(np.concatenate([[0], ends, [len(pairs)]]))
    for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        yield slice(start, stop)


def _most_similar(
    item: np.ndarray, other: np.ndarray, similarity: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The n largest similarities of each item, those of 0 left out."""
    order = np.lexsort((other, -similarity, item))
    item, other, similarity = item[order], other[order], similarity[order]
    place = np.arange(len(item)) - np.searchsorted(item, item)  # among the item's own
    kept = (place < n) & (similarity > 0)
    return item[kept], other[kept], similarity[kept]
