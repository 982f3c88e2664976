"""Popularity: the score of an item is its training support, in every session."""

import numpy as np
import torch
from torch import Tensor

from prnn_cli.baselines.baseline import Baseline
from prnn_cli.data.sessions import Sessions


class Popularity:
    """A `Scorer` that scores each item by its support."""

    def __init__(self, support: np.ndarray, name: str = "popularity") -> None:
        """support: (num_items,) events of each item."""
        self.name = name
        self.support = torch.from_numpy(support.astype(np.float32))
        self.reset(0)

    @classmethod
    def fit(cls, sessions: Sessions) -> "Popularity":
        """Counts the events of each item."""
        return cls(np.bincount(sessions.items, minlength=sessions.num_items))

    def reset(self, num_slots: int) -> None:
        self._num_slots = num_slots

    def advance(self, items: Tensor, new_session: Tensor) -> None:
        self.support = self.support.to(items.device)

    def constant_scores(self) -> np.ndarray:
        """The supports, (num_items,): what `scores` repeats."""
        return self.support.cpu().numpy()

    def scores(self, items: slice | Tensor) -> Tensor:
        return self.support[items].expand(self._num_slots, -1)


BASELINES = {"popularity": Baseline("Popularity", lambda data, options: Popularity.fit(data.train))}
