"""Ticks: runs of consecutive mini-batches whose inputs and random numbers are made together, ahead of the steps.

Randomness is an input: a tick's numbers depend on (seed, phase, epoch, tick) and on what they are for (the negatives,
or a subnet's mask) alone, so that a resumed run, another network and every way to run the step see the same ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from prnn_cli.batching import Batch, Rows, SessionParallelPlan, first_occurrence
from prnn_cli.networks.network import Network
from prnn_cli.randomness import generator_for
from prnn_cli.training.negatives import NegativeSampler
from prnn_cli.training.state import Cursor

STEPS = 256  # of a tick
MAX_NUMBERS = 2**23  # random numbers that are drawn at a time: 32 MB


@dataclass(frozen=True)
class DropoutSpec:
    """A subnet's drop probability and the width of its mask."""

    rate: float
    hidden_size: int


class TickMaker:
    def __init__(
        self,
        network: Network,
        plan: SessionParallelPlan,
        sampler: NegativeSampler,
        dropout: dict[str, DropoutSpec],
        seed: int,
        device: torch.device,
    ) -> None:
        self.network = network
        self.plan = plan
        self.sampler = sampler
        self.dropout = {name: spec for name, spec in dropout.items() if spec.rate > 0}
        self.seed = seed
        self.device = device

    @property
    def num_updating_steps(self) -> int:
        """A target alone has nothing to be ranked against: without sampled negatives, the steps at the end of
        the epoch with one active slot can't update. Their states are never used again, so they are left out."""
        if self.sampler.num_sampled > 0:
            return self.plan.num_steps
        return int((self.plan.num_active >= 2).sum())

    def bounds(self, from_step: int) -> Iterator[tuple[int, int]]:
        for start in range(from_step, self.num_updating_steps, STEPS):
            yield start, min(start + STEPS, self.num_updating_steps)

    def make(self, cursor: Cursor, start: int, stop: int) -> Iterator[Batch]:
        num_steps, key = stop - start, (self.seed, cursor.phase, cursor.epoch, start // STEPS)
        inputs = self.plan.steps(start, stop, self.device)
        clicks = self.network.clicks(inputs.input_items)
        negatives = self.sampler.draw(num_steps, generator_for(*key, "negatives", device=self.device))
        output_items = torch.cat([inputs.target_items, negatives], dim=1)
        outputs = Rows(output_items, first_occurrence(output_items))
        masks = {name: self._masks(spec, num_steps, *key, name) for name, spec in self.dropout.items()}
        for t in range(num_steps):
            yield Batch(
                clicks=clicks[t],
                outputs=outputs[t],
                new_session=inputs.new_session[t],
                active=inputs.active[t],
                dropout={name: next(steps) for name, steps in masks.items()},
            )

    def _masks(self, spec: DropoutSpec, num_steps: int, *key: int | str) -> Iterator[Tensor]:
        """Inverted dropout, (B, H) a step: 0, or 1 / (1 − rate). Drawn many steps at a time, as memory allows."""
        generator = generator_for(*key, device=self.device)
        num_slots, keep = self.plan.num_slots, 1 - spec.rate
        chunk = max(1, MAX_NUMBERS // (num_slots * spec.hidden_size))
        for start in range(0, num_steps, chunk):
            shape = (min(chunk, num_steps - start), num_slots, spec.hidden_size)
            mask = torch.empty(shape, device=self.device).bernoulli_(keep, generator=generator)
            yield from mask.div_(keep).unbind()
