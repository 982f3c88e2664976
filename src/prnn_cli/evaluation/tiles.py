"""Ranks of networks on the CPU, by tiles of scores that stay in the cache and without their final activation.

f never decreases, so logits rank as scores do, but for ties: all logits from `low` to `high` have the target's score.

Shapes: B slots, N candidates.
"""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from prnn_cli.evaluation.candidates import Candidates

TILE = 2**18  # logits: 1 MB


@runtime_checkable
class LogitScorer(Protocol):
    """A scorer whose scores are f of one product: of what it knows of each slot, and of each item."""

    def item_rows(self, items: slice | Tensor) -> Tensor:
        """(n, D)"""

    def slot_rows(self) -> Tensor:
        """(B, D); `slot_rows() @ item_rows(…).T` are the logits (B, n)."""

    def equal_range(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """The lowest and the highest logits (B,) with the same scores as these."""


class TileCounter:
    """Counts as `ranking.count_better_and_equal` does, in room that is taken once."""

    def __init__(self, scorer: LogitScorer, candidates: Candidates, num_slots: int) -> None:
        self.scorer, self.candidates = scorer, candidates
        self.rows = scorer.item_rows(candidates.items)
        self.width = max(1, TILE // num_slots)
        self.starts = list(range(0, candidates.num_candidates, self.width))
        self.room = torch.empty(2, num_slots * self.width)

    def __call__(self, targets: Tensor) -> tuple[Tensor, Tensor]:
        """(B,) targets -> (B,) better and equal candidates.

        The target's logit comes from a product of its own, so it may differ from theirs in the last bit: among them it
        is left out by index, and ties where f saturates reach far further than a bit.
        """
        slots = self.scorer.slot_rows()
        own = (slots @ self.scorer.item_rows(targets).T).diagonal()
        low, high = (bound[:, None] for bound in self.scorer.equal_range(own))
        better, as_good, highest = torch.zeros_like(own), torch.zeros_like(own), own.clone()
        column, slot = self.candidates.column[targets].sort()
        first = torch.searchsorted(
            column, torch.tensor([*self.starts, self.candidates.num_candidates])
        ).tolist()
        for n, start in enumerate(self.starts):
            rows = self.rows[start : start + self.width]
            tile, compared = (room[: len(slots) * len(rows)].view(len(slots), -1) for room in self.room)
            torch.mm(slots, rows.T, out=tile)
            torch.maximum(highest, tile.amax(dim=1), out=highest)  # a NaN among them stays
            inside = slice(first[n], first[n + 1])
            tile[slot[inside], column[inside] - start] = torch.nan  # neither better nor equal
            # Float sums are vectorised where sums of bool are not, and exact up to 2^24 candidates.
            better += torch.gt(tile, high, out=compared).sum(dim=1)
            as_good += torch.ge(tile, low, out=compared).sum(dim=1)
        return better.int().masked_fill(highest.isnan(), -1), (as_good - better).int()
