"""Tiles: the ranks of networks on the CPU, by tiles of logits that stay in the cache, without the final activation.

f never decreases, so logits rank as scores do, but for ties (`ties.py`): all logits from `low` to `high` have the
target's score.

Shapes: B slots, n of their states, N candidates, D columns of all output tables together.
"""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from prnn_cli.evaluation.candidates import Candidates
from prnn_cli.evaluation.ties import equal_range
from prnn_cli.networks.network import Activation

TILE = 2**18  # logits: 1 MB
ROWS = 128  # states that are multiplied at once: 23 take 2.3 times as long each, and more than 128 no less


@runtime_checkable
class LogitScorer(Protocol):
    """A scorer whose scores are f of one product: of what it knows of each slot, and of each item."""

    def item_vectors(self, items: slice | Tensor) -> Tensor:
        """What it knows of n items, (n, D)."""

    def state_vectors(self) -> Tensor:
        """What it knows of each slot, (B, D): `state_vectors() @ item_vectors(…).T` are the logits (B, n)."""

    @property
    def activation(self) -> Activation | None:
        """f, which never decreases; None where the logits are the scores."""


@dataclass(frozen=True)
class Workers:
    """Threads that work on the parts of a step, and how many there are."""

    pool: Executor
    number: int


class TileCounter:
    """Counts as `ranking.count_better_and_equal` does, in memory that is allocated once."""

    def __init__(self, scorer: LogitScorer, candidates: Candidates, workers: Workers) -> None:
        self.scorer, self.candidates, self.workers = scorer, candidates, workers
        self.rows = scorer.item_vectors(candidates.items)
        self.width = max(1, TILE // ROWS)
        self.starts = list(range(0, candidates.num_candidates, self.width))
        num_parts = min(workers.number, len(self.starts))
        self.rooms = [torch.empty(2, ROWS * self.width) for _ in range(num_parts)]

    def in_blocks(self, states: Tensor, targets: Tensor) -> Iterator[Tensor]:
        """Yields the counts of ROWS of the states (n, D) after the other, whatever n is."""
        for block in zip(torch.split(states, ROWS), torch.split(targets, ROWS), strict=True):
            yield self(*block)

    def __call__(self, states: Tensor, targets: Tensor) -> Tensor:
        """The numbers of better and of equal candidates, (2, n) int32, for n ≤ ROWS states (n, D) and their targets.

        The target's logit comes from a product of its own, so it may differ from theirs in the last bit: among them it
        is left out by index, and ties where f saturates reach far further than a bit.
        """
        own = (states @ self.scorer.item_vectors(targets).T).diagonal()
        low, high = (bound[:, None] for bound in equal_range(self.scorer.activation, own))
        column, slot = self.candidates.column[targets].sort()
        ends = torch.searchsorted(
            column, torch.tensor([*self.starts, self.candidates.num_candidates])
        ).tolist()

        def count_part(part: int) -> Tensor:
            better, as_good, highest = torch.zeros_like(own), torch.zeros_like(own), own.clone()
            for n in range(part, len(self.starts), len(self.rooms)):
                start, inside = self.starts[n], slice(ends[n], ends[n + 1])
                rows = self.rows[start : start + self.width]
                tile, compared = (
                    room[: len(states) * len(rows)].view(len(states), -1) for room in self.rooms[part]
                )
                torch.mm(states, rows.T, out=tile)
                torch.maximum(highest, tile.amax(dim=1), out=highest)  # a NaN among them stays
                tile[slot[inside], column[inside] - start] = torch.nan  # neither better nor equal
                # Ones are summed as floats: these sums are vectorised, those of bool are not, and whole numbers are
                # exact up to 2^24, of candidates.
                better += torch.gt(tile, high, out=compared).sum(dim=1)
                as_good += torch.ge(tile, low, out=compared).sum(dim=1)
            return torch.stack([better, as_good, highest])

        parts = torch.stack(list(self.workers.pool.map(count_part, range(len(self.rooms)))))  # (parts, 3, n)
        better, as_good = parts[:, :2].sum(dim=0)
        has_nan = parts[:, 2].isnan().any(dim=0)
        return torch.stack([better.masked_fill(has_nan, -1), as_good - better]).int()


@contextmanager
def workers_of_one_thread() -> Iterator[Workers]:
    """As many workers as torch has threads, each of which computes alone.

    They wait for each other once a step, while torch's own threads would at every product, which is slow with other
    processes about.
    """
    num_threads = torch.get_num_threads()
    with ThreadPoolExecutor(num_threads) as workers:
        torch.set_num_threads(1)
        try:
            yield Workers(workers, num_threads)
        finally:
            torch.set_num_threads(num_threads)
