"""Scores -> ranks, which start at 1, and are counted, never sorted.

Shapes: B slots, C scored items, N candidates, E predicted events.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

CACHED_SCORES = 2**18  # 1 MB of scores: read three times below, from memory only once


@dataclass(frozen=True)
class Ranks:
    """One row for each predicted event, in the order of events: all that any tie mode and cut-off needs.

    session: (E,) int64, the session's number in events.parquet
    position: (E,) int32, the event's place in its session; from 1, as the first event is never predicted
    target: (E,) int32, its item_index
    better, equal: (E,) int32, other candidates that scored higher than the target, or the same
    """

    session: np.ndarray
    position: np.ndarray
    target: np.ndarray
    better: np.ndarray
    equal: np.ndarray

    @property
    def num_events(self) -> int:
        return len(self.target)


def joined(parts: Sequence[Ranks]) -> Ranks:
    """The ranks of sessions that follow each other, in one."""
    names = [field.name for field in fields(Ranks)]
    return Ranks(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def count_better_and_equal(
    scores: Tensor, target_column: Tensor, num_candidates: int
) -> tuple[Tensor, Tensor]:
    """Other candidates that score higher than the target, and those that score the same, (B,) int32 each.

    scores: (B, C), of which the first N = num_candidates columns are the candidates
    target_column: (B,), any of the C columns; among the candidates it is left out by its index

    A NaN is neither higher nor equal and would pass for a good rank: `better` is -1 for a row with one.
    """
    target_scores = scores.gather(1, target_column[:, None])
    candidates = scores[:, :num_candidates]
    # In tiles that stay in the cache; on a GPU, where launches cost more than memory, in one.
    rows = len(scores) if scores.is_cuda else max(1, CACHED_SCORES // num_candidates)
    tiles = zip(torch.split(candidates, rows), torch.split(target_scores, rows), strict=True)
    counted = [_count_tile(tile, target) for tile, target in tiles]
    better, equal, has_nan = (torch.cat(parts) for parts in zip(*counted, strict=True))
    equal -= (target_column < num_candidates).int()
    return better.masked_fill(has_nan | target_scores[:, 0].isnan(), -1), equal


def _count_tile(scores: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    # Ones are summed as floats: these sums are vectorised, those of bool are not, and whole numbers are exact up to
    # 2^24, of candidates.
    compared = torch.empty(scores.shape, device=scores.device)
    better = torch.gt(scores, target, out=compared).sum(dim=1).int()
    equal = torch.eq(scores, target, out=compared).sum(dim=1).int()
    return better, equal, scores.amax(dim=1).isnan()
