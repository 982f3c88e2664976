"""The pace of a phase of training on this machine, from a few ticks of it that are timed."""

from dataclasses import dataclass
from itertools import chain, count

import torch

from prnn_cli.system.durations import timed
from prnn_cli.training.state import Cursor, TrainState
from prnn_cli.training.trainer import Trainer

TIMED_TICKS = 3  # after one in which the step is compiled …
TIMED_S = 3.0  # … or fewer, where they take longer
TIMED_EVENTS = 2_000  # that are ranked, to know how long all take


@dataclass(frozen=True)
class Pace:
    """The seconds of compiling a phase's step, and those of a step."""

    compiling_s: float
    step_s: float


def pace_of(trainer: Trainer, number: int, state: TrainState) -> Pace:
    """The pace of phase `number` (from 0). Changes `state` as training would."""
    phase, device = trainer.phases[number], state.device
    # Of further epochs where one is too short.
    ticks = chain.from_iterable(trainer.ticks.from_cursor(Cursor(number, epoch)) for epoch in count())

    def take() -> int:
        """Trains for a tick, and returns its number of steps."""
        tick = next(ticks)
        trainer.executor(state, tick.batches, phase)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return len(tick.batches.active)

    trainer.begin_epoch(state, phase)
    with timed() as first:
        first_steps = take()
    steps, spent = 0, 0.0
    for _ in range(TIMED_TICKS):
        with timed() as one:
            taken = take()
        steps, spent = steps + taken, spent + one.seconds
        if spent > TIMED_S:
            break
    step_s = spent / steps
    return Pace(max(0.0, first.seconds - first_steps * step_s), step_s)
