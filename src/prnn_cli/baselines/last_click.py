"""The base of baselines that know the last click only: row i of a sparse matrix scores what may follow item i."""

import torch
from scipy import sparse
from torch import Tensor

from prnn_cli.scoring import dense_scores


class LastClickScorer:
    """A `Scorer` whose scores are the row of the last click."""

    def __init__(self, name: str, matrix: sparse.csr_array) -> None:
        """matrix: (num_items, num_items) float32, row = last click, column = scored item; absent means 0."""
        self.name = name
        self.matrix = matrix
        self.reset(0)

    def reset(self, num_slots: int) -> None:
        self._last = torch.zeros(num_slots, dtype=torch.int64)

    def advance(self, items: Tensor, new_session: Tensor) -> None:
        self._last = items  # all that there is to remember, so new_session has nothing to clear

    def sparse_scores(self) -> sparse.csr_array:
        """The rows of the last clicks, (B, num_items): what `scores` is made of."""
        return self.matrix[self._last.cpu().numpy()]

    def scores(self, items: slice | Tensor) -> Tensor:
        return dense_scores(self.sparse_scores(), items, self._last.device)
