"""Random logs and features of any size, for timings: items by Zipf's law, sessions of 2 to 8 clicks."""

from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from prnn_cli.data.prepare import PreparedData
from prnn_cli.data.sessions import Sessions
from prnn_cli.features.extractor import is_sparse
from prnn_cli.features.table import FeatureTable

# As in the paper's CLASS: the non-zeros of an item, on average, and the entries of the dictionary for each item.
TERMS_OF_AN_ITEM = 5.44
TERMS_PER_ITEM = 1_099_425 / 339_055
VECTOR_SIZE = 1024  # GoogLeNet's


def drawn_sessions(num_sessions: int, num_items: int) -> Sessions:
    rng = np.random.default_rng(0)
    lengths = rng.integers(2, 9, num_sessions)
    cumulative = np.cumsum(1 / (np.arange(num_items) + 10))
    items = np.searchsorted(cumulative, rng.random(lengths.sum()) * cumulative[-1]).astype(np.int32)
    return Sessions(items, np.append(0, np.cumsum(lengths)), np.arange(num_sessions), num_items)


def drawn_data(num_sessions: int, num_items: int) -> PreparedData:
    sessions = drawn_sessions(num_sessions, num_items)
    return PreparedData(
        folder=Path(),
        data_hash=f"drawn-{num_sessions}-{num_items}",
        summary={},
        train=sessions,
        validation=None,
        test=sessions,
        item_ids=np.arange(num_items).astype(str).astype(object),
        support=np.bincount(sessions.items, minlength=num_items),
        reused=False,
        read_train_times=lambda: 60.0 * np.arange(sessions.num_events),
    )


def drawn_features(how: str, name: str, num_items: int) -> FeatureTable:
    """Random item vectors: sparse ones where those of the extractor `how` are, else dense ones."""
    rng = np.random.default_rng(1)
    if not is_sparse(how):
        vectors = rng.standard_normal((num_items, VECTOR_SIZE), dtype=np.float32)
        return FeatureTable(name, vectors, np.ones(num_items, dtype=bool))
    counts = rng.poisson(TERMS_OF_AN_ITEM, num_items)
    starts = np.append(0, np.cumsum(counts))
    shape = (num_items, round(TERMS_PER_ITEM * num_items))
    columns = rng.integers(0, shape[1], starts[-1])
    weights = np.full(starts[-1], 0.3, dtype=np.float32)
    return FeatureTable(name, csr_array((weights, columns, starts), shape=shape), counts > 0)
