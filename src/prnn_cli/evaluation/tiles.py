"""Ranks of networks on the CPU, by tiles of scores that stay in the cache and without their final activation.

f never decreases, so logits rank as scores do, but for ties: all logits from `low` to `high` have the target's score.

Shapes: B slots, N candidates.
"""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from prnn_cli.evaluation.candidates import Candidates

TILE = 2**18  # logits: 1 MB


@runtime_checkable
class LogitScorer(Protocol):
    """A scorer whose scores are f of products."""

    def tables(self, items: slice | Tensor) -> Mapping[str, Tensor]:
        """The rows (n, …) of n items, of which `logits` takes all or a part."""

    def logits(self, tables: Mapping[str, Tensor]) -> Tensor:
        """(B, n)"""

    def equal_range(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """The lowest and the highest logits (B,) with the same scores as these."""


def count_in_tiles(
    scorer: LogitScorer, tables: Mapping[str, Tensor], candidates: Candidates, targets: Tensor
) -> tuple[Tensor, Tensor]:
    """As `ranking.count_better_and_equal`, for the `tables` of the candidates.

    The target's logit comes from a product of its own, so it may differ from theirs in the last bit: among them it is
    left out by index, and ties where f saturates reach far further than a bit.
    """
    own = scorer.logits(scorer.tables(targets)).diagonal()
    low, high = (bound[:, None] for bound in scorer.equal_range(own))
    better, as_good, highest = torch.zeros_like(own), torch.zeros_like(own), own.clone()
    column, slot = candidates.column[targets].sort()
    width = max(1, TILE // len(own))
    starts = torch.arange(0, candidates.num_candidates + width, width)
    bounds = torch.searchsorted(column, starts).tolist()
    compared = torch.empty(len(own), width)
    for n, start in enumerate(range(0, candidates.num_candidates, width)):
        tile = scorer.logits({name: table[start : start + width] for name, table in tables.items()})
        torch.maximum(highest, tile.amax(dim=1), out=highest)  # a NaN among them stays
        inside = slice(bounds[n], bounds[n + 1])
        tile[slot[inside], column[inside] - start] = torch.nan  # neither better nor equal
        room = compared[:, : tile.shape[1]]
        # Float sums are vectorised where sums of bool are not, and exact up to 2^24 candidates.
        better += torch.gt(tile, high, out=room).sum(dim=1)
        as_good += torch.ge(tile, low, out=room).sum(dim=1)
    return better.int().masked_fill(highest.isnan(), -1), (as_good - better).int()
