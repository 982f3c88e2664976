"""Ticks: runs of consecutive mini-batches whose inputs and random numbers are made together, ahead of the steps.

Randomness is an input: a tick's numbers depend on (seed, phase, epoch, tick) alone, so that a resumed run and
every way to run the step see the same ones.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from prnn_cli.batching import Batch, SessionParallelPlan, first_occurrence
from prnn_cli.training.negatives import NegativeSampler
from prnn_cli.training.state import Cursor

MAX_STEPS = 256
MAX_NUMBERS = 2**24  # random numbers of one tick, which bounds its memory


@dataclass(frozen=True)
class DropoutSpec:
    """A subnet's drop probability and the width of its mask."""

    rate: float
    hidden_size: int


class TickMaker:
    def __init__(
        self,
        plan: SessionParallelPlan,
        sampler: NegativeSampler,
        dropout: dict[str, DropoutSpec],
        seed: int,
        device: torch.device,
    ) -> None:
        self.plan = plan
        self.sampler = sampler
        self.dropout = {name: spec for name, spec in dropout.items() if spec.rate > 0}
        self.seed = seed
        self.device = device
        width = plan.num_slots * sum(spec.hidden_size for spec in self.dropout.values()) + sampler.num_sampled
        self.steps_per_tick = max(1, min(MAX_STEPS, MAX_NUMBERS // max(1, width)))

    @property
    def num_updating_steps(self) -> int:
        """A target alone has nothing to be ranked against: without sampled negatives, the steps at the end of
        the epoch with one active slot can't update. Their states are never used again, so they are left out."""
        if self.sampler.num_sampled > 0:
            return self.plan.num_steps
        return int((self.plan.num_active >= 2).sum())

    def bounds(self, from_step: int) -> Iterator[tuple[int, int]]:
        for start in range(from_step, self.num_updating_steps, self.steps_per_tick):
            yield start, min(start + self.steps_per_tick, self.num_updating_steps)

    def make(self, cursor: Cursor, start: int, stop: int) -> Iterator[Batch]:
        num_steps = stop - start
        inputs = self.plan.steps(start, stop, self.device)
        generator = self._generator(cursor.phase, cursor.epoch, start // self.steps_per_tick)
        negatives = self.sampler.draw(num_steps, generator)
        masks = {name: self._mask(spec, num_steps, generator) for name, spec in self.dropout.items()}
        output_items = torch.cat([inputs.target_items, negatives], dim=1)
        input_first = first_occurrence(inputs.input_items)
        output_first = first_occurrence(output_items)
        for t in range(num_steps):
            yield Batch(
                input_items=inputs.input_items[t],
                input_first=input_first[t],
                output_items=output_items[t],
                output_first=output_first[t],
                new_session=inputs.new_session[t],
                active=inputs.active[t],
                dropout={name: mask[t] for name, mask in masks.items()},
            )

    def _mask(self, spec: DropoutSpec, num_steps: int, generator: torch.Generator) -> Tensor:
        """Inverted dropout: 0, or 1 / (1 − rate)."""
        mask = torch.empty(num_steps, self.plan.num_slots, spec.hidden_size, device=self.device)
        return mask.bernoulli_(1 - spec.rate, generator=generator).div_(1 - spec.rate)

    def _generator(self, *key: int) -> torch.Generator:
        digest = hashlib.blake2b(repr((self.seed, *key)).encode(), digest_size=7).digest()
        return torch.Generator(self.device).manual_seed(int.from_bytes(digest, "big"))
