"""Timings of a training step by every executor, and of an epoch with everything in it, beside the step's floor."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch

from prnn_cli.benchmarks.floor import floor_of, floor_seconds
from prnn_cli.benchmarks.logs import drawn_data, drawn_features
from prnn_cli.benchmarks.timing import seconds_of
from prnn_cli.experiment.build import build_trainer, features_used, multiplications_per_batch
from prnn_cli.schema import BenchConfig, TrainCommand
from prnn_cli.system.hardware import threads_for_training
from prnn_cli.system.tree import unbind
from prnn_cli.training.state import Cursor
from prnn_cli.training.strategies import Phase
from prnn_cli.training.trainer import Trainer

CLICKS_A_SESSION = 5
# Of a timed tick at most, but no fewer than FEWEST_STEPS: where one takes a tenth of a second, 100 would take minutes.
MOST_MULTIPLICATIONS = 5_000_000_000
FEWEST_STEPS = 10


def training_rows(
    train: TrainCommand, num_items: int, bench: BenchConfig, device: torch.device
) -> Iterator[dict[str, Any]]:
    """A row for each executor and each different phase of the strategy, and one for an epoch."""
    recipe = train.recipe
    bench = replace(bench, steps=affordable_steps(bench.steps, multiplications_per_batch(train, num_items)))
    data = drawn_data(recipe.batch_size * 2 * bench.steps // (CLICKS_A_SESSION - 1), num_items)
    sources = features_used(train).sources
    features = {name: drawn_features(how, name, num_items) for name, how in sources.items()}
    fast = "graph" if device.type == "cuda" else "compiled"
    with threads_for_training(train.hardware, multiplications_per_batch(train, num_items)):
        for executor in ("eager",) if train.hardware.compile == "never" else ("eager", fast):
            trainer = build_trainer(train, data, features, device, executor=executor)
            for phase in {phase.updates: phase for phase in trainer.phases}.values():
                yield {
                    "what": f"step of {'+'.join(phase.learning)}, {train.arch.name} {train.strategy.name}",
                    "device": device.type,
                    "hidden_size": "+".join(str(subnet.hidden_size) for subnet in trainer.network.subnets),
                    "batch_size": recipe.batch_size,
                    "num_sampled": recipe.num_sampled,
                    "num_items": num_items,
                    "steps": bench.steps,
                    "threads": torch.get_num_threads(),
                } | _step(trainer, phase, bench, device)
            yield _epoch(trainer, train, num_items, device)
            del trainer  # before the next one takes as much memory


def affordable_steps(most: int, multiplications_per_step: int) -> int:
    """The number of steps to time: fewer than the most where each takes long."""
    return min(most, max(FEWEST_STEPS, MOST_MULTIPLICATIONS // multiplications_per_step))


def _step(trainer: Trainer, phase: Phase, bench: BenchConfig, device: torch.device) -> dict[str, Any]:
    batches = trainer.ticks.make(0, 0, 0, bench.steps).batches
    floor = floor_of(trainer.network, trainer.state.parameters, unbind(batches)[0], phase)
    floor_us = floor_seconds(floor, device, bench.steps, bench.repeats) / 1e-6
    trainer.begin_epoch(trainer.state, phase)
    took = seconds_of(lambda: trainer.executor(trainer.state, batches, phase), device, bench.repeats)
    us = took / bench.steps / 1e-6
    return {
        "executor": trainer.executor.used,
        "us_per_step": us,
        "floor_us": floor_us,
        "ratio": us / floor_us,
        "steps_per_s": 1e6 / us,
        "events_per_s": len(batches.active[0]) * 1e6 / us,
    }


def _epoch(trainer: Trainer, train: TrainCommand, num_items: int, device: torch.device) -> dict[str, Any]:
    """The time of an epoch of the first phase by the training loop, with ticks and counters.

    `floor_us` and `ratio` are of its steps alone.
    """
    phase = replace(trainer.phases[0], epochs=1)
    trainer.phases = [phase]

    def run() -> None:
        trainer.state.cursor, trainer.state.history = Cursor(), []
        trainer.run(at_tick=lambda progress: None, at_epoch=lambda record: None)

    took = seconds_of(run, device, repeats=3)
    steps = trainer.ticks.num_updating_steps
    trainer.begin_epoch(trainer.state, phase)
    ticks = [tick.batches for tick in trainer.ticks.from_cursor(Cursor())]

    def steps_alone() -> None:
        for batches in ticks:
            trainer.executor(trainer.state, batches, phase)

    alone = seconds_of(steps_alone, device, repeats=3)
    return {
        "what": f"epoch, {train.arch.name} {train.strategy.name}",
        "device": device.type,
        "batch_size": train.recipe.batch_size,
        "num_sampled": train.recipe.num_sampled,
        "num_items": num_items,
        "threads": torch.get_num_threads(),
        "executor": trainer.executor.used,
        "us_per_step": took / steps / 1e-6,
        "floor_us": alone / steps / 1e-6,
        "ratio": took / alone,
        "steps_per_s": steps / took,
        "events_per_s": trainer.events_total / took,
    }
