"""Shortcuts: ranks of baselines most of whose scores are 0, or the same in every slot, without making them all.

They count what `ranking.count_better_and_equal` counts, to the last tie.

Shapes: B slots, N items, C candidates.
"""

import numpy as np
import torch
from torch import Tensor

from prnn_cli.evaluation.candidates import Candidates
from prnn_cli.scoring import ConstantScorer, SparseScorer


class SparseCounter:
    """Counts by the scores that are not 0."""

    def __init__(self, scorer: SparseScorer, candidates: Candidates) -> None:
        self.scorer = scorer
        self.is_candidate = candidates.column.cpu().numpy() >= 0
        self.num_candidates = candidates.num_candidates

    def __call__(self, targets: Tensor) -> tuple[Tensor, Tensor]:
        """The numbers of better and of equal candidates, (B,) int32 each, for targets (B,); better is −1 at a NaN."""
        rows, target = self.scorer.sparse_scores(), targets.cpu().numpy()
        slot = np.repeat(np.arange(len(target)), np.diff(rows.indptr))
        is_target = rows.indices == target[slot]
        own = np.zeros(len(target), dtype=rows.data.dtype)
        own[slot[is_target]] = rows.data[is_target]

        def count(chosen: np.ndarray) -> np.ndarray:
            return np.bincount(slot[chosen], minlength=len(target))

        compared = self.is_candidate[rows.indices] & ~is_target
        zeros = self.num_candidates - self.is_candidate[target] - count(compared)
        better = count(compared & (rows.data > own[slot])) + np.where(own < 0, zeros, 0)
        equal = count(compared & (rows.data == own[slot])) + np.where(own == 0, zeros, 0)
        better[count(np.isnan(rows.data)) > 0] = -1
        return _counts(better, targets), _counts(equal, targets)


class ConstantCounter:
    """Counts once for each item, whatever the slot."""

    def __init__(self, scorer: ConstantScorer, candidates: Candidates) -> None:
        scores, is_candidate = scorer.constant_scores(), candidates.column.cpu().numpy() >= 0
        ordered = np.sort(scores[is_candidate])
        as_good = len(ordered) - np.searchsorted(ordered, scores, side="left")
        self.better = len(ordered) - np.searchsorted(ordered, scores, side="right")
        self.equal = as_good - self.better - is_candidate
        self.better[np.isnan(scores) | np.isnan(ordered).any()] = -1

    def __call__(self, targets: Tensor) -> tuple[Tensor, Tensor]:
        """The numbers of better and of equal candidates, (B,) int32 each, for targets (B,); better is −1 at a NaN."""
        items = targets.cpu().numpy()
        return _counts(self.better[items], targets), _counts(self.equal[items], targets)


def _counts(numbers: np.ndarray, like: Tensor) -> Tensor:
    return torch.from_numpy(numbers.astype(np.int32)).to(like.device)
