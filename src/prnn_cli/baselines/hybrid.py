"""Hybrid: content-kNN and item-kNN, mixed by one weight.

    score(j) = weight · content(j) / max_i content(i) + (1 − weight) · s_lj / max_i s_li

content as in `content_knn`, s_lj as in `item_knn` for the last click l; a method without a positive score adds nothing.
What a shop would build in an afternoon. Cost: of both.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from prnn_cli.baselines.baseline import Baseline
from prnn_cli.baselines.content_knn import ContentKnn, ContentKnnOptions
from prnn_cli.baselines.item_knn import ItemKnn, ItemKnnOptions
from prnn_cli.data.prepare import PreparedData
from prnn_cli.features.table import FeatureTable
from prnn_cli.schema import bounded


@dataclass
class HybridOptions(ContentKnnOptions, ItemKnnOptions):
    """`baselines.hybrid.*`. weight: of content-kNN; the others are those of both"""

    weight: float = bounded(at_least=0, at_most=1)


class Hybrid:
    """A `Scorer` by the weighted sum of two."""

    name = "hybrid"

    def __init__(self, content: ContentKnn, item_knn: ItemKnn, weight: float) -> None:
        """weight: of content"""
        self.content, self.item_knn, self.weight = content, item_knn, weight

    def reset(self, num_slots: int) -> None:
        self.content.reset(num_slots)
        self.item_knn.reset(num_slots)

    def advance(self, items: Tensor, new_session: Tensor) -> None:
        self.content.advance(items, new_session)
        self.item_knn.advance(items, new_session)
        self._device = items.device

    def scores(self, items: slice | Tensor) -> Tensor:
        content = _by_highest(self.content.similarities())
        clicked_together = _by_highest(self.item_knn.sparse_scores().toarray())
        mixed = self.weight * content + (1 - self.weight) * clicked_together
        return torch.from_numpy(mixed).to(self._device)[:, items]


def _by_highest(scores: np.ndarray) -> np.ndarray:
    """The scores (B, num_items) of each slot divided by its highest, where that is positive."""
    highest = scores.max(axis=1, keepdims=True)
    scaled: np.ndarray = np.divide(scores, highest, out=np.zeros_like(scores), where=highest > 0)
    return scaled


def fit(data: PreparedData, options: HybridOptions, features: Mapping[str, FeatureTable]) -> Hybrid:
    """The scorer by the run's features and the sessions of the part train."""
    return Hybrid(ContentKnn(features, options.session), ItemKnn.fit(data.train, options), options.weight)


BASELINES = {"hybrid": Baseline("Hybrid of content- and item-kNN", fit, HybridOptions, uses_features=True)}
