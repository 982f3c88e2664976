"""Ticks: runs of consecutive mini-batches whose inputs and random numbers are made together, ahead of the steps.

Randomness is an input: a tick's numbers depend on (seed, phase, epoch, tick) and on what they are for (the negatives,
or a subnet's dropout) alone, so that a resumed run, another network and every way to run the step see the same ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import torch

from prnn_cli.batching import Batch, SessionParallelPlan, TableRows, concatenated, first_occurrence
from prnn_cli.networks.network import Network
from prnn_cli.system.cores import num_cores
from prnn_cli.system.prefetch import prefetch
from prnn_cli.system.randomness import coin_flips, generator_for
from prnn_cli.training.logq import LogQ
from prnn_cli.training.negatives import NegativeSampler
from prnn_cli.training.state import Cursor

STEPS = 256  # of a tick; what is made and copied together costs less a step


@dataclass(frozen=True)
class Tick:
    """T consecutive mini-batches, as one whose fields are (T, …). The next tick begins with step `stop`."""

    stop: int
    batches: Batch


class TickMaker:
    """Makes the ticks of any epoch.

    sampler: of the negatives beside those of the batch; None: each item of the catalogue is scored
    num_shards: of how many equal shards of slots each reads its inputs' rows apart, as each process works on one
    logq: the correction for how the columns are sampled, if there is to be one
    """

    def __init__(
        self,
        network: Network,
        plan: SessionParallelPlan,
        sampler: NegativeSampler | None,
        seed: int,
        device: torch.device,
        num_shards: int = 1,
        logq: LogQ | None = None,
    ) -> None:
        self.network = network
        self.plan = plan
        self.sampler = sampler
        self.seed = seed
        self.device = device
        self.num_shards = num_shards
        self.logq = logq
        self._num_rows = self._most_rows()

    @property
    def num_updating_steps(self) -> int:
        """The number of an epoch's steps that are taken.

        A target alone has nothing to be ranked against: without sampled negatives, the steps at the end of the epoch
        with one active slot can't update. Their states are never used again, so they are left out.
        """
        if self.sampler is None or self.sampler.num_sampled > 0:
            return self.plan.num_steps
        return int((self.plan.num_active >= 2).sum())

    @property
    def num_scores(self) -> float:
        """The number of scores of active slots, for active columns, in the steps of an epoch that are taken."""
        active = self.plan.num_active[: self.num_updating_steps].astype(float)
        columns = self.network.num_items if self.sampler is None else active + self.sampler.num_sampled
        return float((active * columns).sum())

    def from_cursor(self, cursor: Cursor) -> Iterator[Tick]:
        """The ticks from the cursor to the end of its epoch.

        Each is made while the one before it is worked on, where there is a core to spare.
        """
        key, last = (cursor.phase, cursor.epoch), self.num_updating_steps
        bounds = pairwise([*range(cursor.step, last, STEPS), last])
        ticks = (self.make(*key, start, stop) for start, stop in bounds)
        return prefetch(ticks) if self._has_spare_core() else ticks

    def _has_spare_core(self) -> bool:
        # A thread that shares its core with another one keeps all threads of the step waiting.
        return self.device.type != "cpu" or torch.get_num_threads() < num_cores()

    def make(self, phase: int, epoch: int, start: int, stop: int) -> Tick:
        """The tick of the steps from `start` up to `stop` of an epoch of a phase."""
        num_steps, key = stop - start, (self.seed, phase, epoch, start // STEPS)
        inputs = self.plan.steps(start, stop, self.device)
        num_rows = {name: self.num_shards * number for name, number in self._num_rows.items()}
        keep_masks = {
            name: coin_flips((num_steps, *shape), chance, *key, name, device=self.device)
            for subnet in self.network.subnets
            for name, (shape, chance) in subnet.masks(self.plan.num_slots, num_rows).items()
        }
        shards = inputs.input_items.chunk(self.num_shards, dim=1)
        clicks = concatenated([self.network.clicks(shard, self._num_rows) for shard in shards])
        batches = Batch(
            clicks, None, inputs.new_session, inputs.active, keep_masks, targets=inputs.target_items
        )
        return Tick(stop, batches if self.sampler is None else self._with_samples(batches, self.sampler, key))

    def _with_samples(self, batches: Batch, sampler: NegativeSampler, key: tuple[int, ...]) -> Batch:
        """Mini-batches that score the targets and sampled negatives alone, slot i's target in column i."""
        assert batches.targets is not None
        targets = batches.targets
        negatives = sampler.draw(len(targets), generator_for(*key, "negatives", device=self.device))
        items = torch.cat([targets, negatives], dim=1)
        correction = self.logq.correction(targets, negatives) if self.logq else None
        outputs, tied = TableRows(items, first_occurrence(items)), None
        if self.network.tied_table:
            items = torch.cat([items, batches.clicks.items], dim=1)
            tied = TableRows(items, first_occurrence(items))
        return replace(batches, outputs=outputs, correction=correction, targets=None, tied=tied)

    def _most_rows(self) -> dict[str, int]:
        """The most rows that a shard of any step touches, by reader: all are padded to so many, to have one shape."""
        slots = self.plan.num_slots // self.num_shards
        most = self.network.num_rows(torch.zeros(1, slots, dtype=torch.int64, device=self.device))
        if self.network.reads_vary:
            for start in range(0, self.plan.num_steps, 16 * STEPS):
                items = self.plan.steps(start, start + 16 * STEPS, self.device).input_items
                for shard in items.chunk(self.num_shards, dim=1):
                    read = self.network.num_rows(shard)
                    most = {name: max(most[name], number) for name, number in read.items()}
        return most
