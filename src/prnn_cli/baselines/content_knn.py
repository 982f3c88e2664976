"""Content-kNN: the items whose features are nearest to those of what was clicked.

    score(j) = mean over the sources (text, image, …) of max(cos(v_s, v_j), 0),   score of the last click = 0

v_s is the vector of the last click (session=last), or the mean of the unit vectors of all clicks of the session so far
(session=mean). An item without features is near to nothing. Cost of a prediction: the item vectors, (num_items, F) of
each source; memory: two copies of sparse ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from prnn_cli.baselines.baseline import Baseline, FeatureOptions
from prnn_cli.baselines.slot_clicks import SlotClicks
from prnn_cli.data.prepare import PreparedData
from prnn_cli.features.table import FeatureTable, unit_rows
from prnn_cli.schema import one_of


@dataclass
class ContentKnnOptions(FeatureOptions):
    """`baselines.content_knn.*`. session: what features are sought near to, the last click's or the session's mean"""

    session: str = one_of("last", "mean")


class ContentKnn:
    """A `Scorer` by the cosine of features."""

    name = "content_knn"

    def __init__(self, features: Mapping[str, FeatureTable], session: str) -> None:
        """session: as in `ContentKnnOptions`"""
        self.session = session
        self._vectors = [unit_rows(table.vectors) for table in features.values()]
        self._columns = [
            each.T.tocsr() if isinstance(each, sparse.csr_array) else each.T for each in self._vectors
        ]
        self.reset(0)

    def reset(self, num_slots: int) -> None:
        self._slots = SlotClicks(num_slots)

    def advance(self, items: Tensor, new_session: Tensor) -> None:
        self._slots.add(items, new_session)

    def similarities(self) -> np.ndarray:
        """The scores of all items, (B, num_items) float32."""
        clicks, offsets = self._slots.joined(at_most=1 if self.session == "last" else None)
        slot = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        shape = (len(offsets) - 1, len(clicks))
        of_slot: Any = sparse.csr_array(
            (np.ones(len(clicks), np.float32), (slot, np.arange(len(clicks)))), shape=shape
        )
        asked = (unit_rows(of_slot @ vectors[clicks]) for vectors in self._vectors)
        cosines = [_dense(rows @ columns).clip(0) for rows, columns in zip(asked, self._columns, strict=True)]
        mean: np.ndarray = np.mean(cosines, axis=0)
        mean[np.arange(len(mean)), self._slots.last] = 0
        return mean

    def scores(self, items: slice | Tensor) -> Tensor:
        return torch.from_numpy(self.similarities()).to(self._slots.device)[:, items]


def _dense(products: Any) -> Any:
    return products.toarray() if isinstance(products, sparse.csr_array) else products


def fit(data: PreparedData, options: ContentKnnOptions, features: Mapping[str, FeatureTable]) -> ContentKnn:
    """The scorer by the run's features; nothing is learned."""
    return ContentKnn(features, options.session)


BASELINES = {"content_knn": Baseline("Content-kNN", fit, ContentKnnOptions, uses_features=True)}
