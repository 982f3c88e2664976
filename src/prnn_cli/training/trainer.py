"""The training loop: phases, epochs, ticks, steps."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from prnn_cli.batching import Batch
from prnn_cli.networks.network import Network
from prnn_cli.system.tree import map_tensors
from prnn_cli.training.divergence import DivergedError, rates_of, refuse_far_above
from prnn_cli.training.executors import Executor
from prnn_cli.training.state import EpochRecord, TrainState
from prnn_cli.training.strategies import Phase, Update
from prnn_cli.training.ticks import Tick, TickMaker


@dataclass(frozen=True)
class Progress:
    """How far training is, once a tick; phase and epoch count from 1. `loss` is the epoch's mean over events so far."""

    phase: int
    epoch: int
    learning: str
    loss: float
    events_done: int
    events_total: int
    events_per_s: float
    seconds_left: float


@dataclass
class Trainer:
    """Everything that training needs. Its state is whole between two ticks alone.

    begin_epoch: what the steps of an epoch of a phase need, before the first one that is taken
    loss_of_nothing: the loss of a mini-batch with all scores 0, which that of a tick is compared with; None: with none
    rate_factor: that all learning rates were multiplied with
    expected: the seconds of an event in kinds of phases to come, where they are known; then_s: of what comes after
        training
    """

    network: Network
    executor: Executor
    phases: Sequence[Phase]
    ticks: TickMaker
    state: TrainState
    begin_epoch: Callable[[TrainState, Phase], None] = lambda state, phase: None
    loss_of_nothing: Callable[[Batch], float] | None = None
    rate_factor: float = 1.0
    expected: dict[tuple[Update, ...], float] = field(default_factory=dict)
    then_s: float = 0.0

    def run(
        self,
        at_tick: Callable[[Progress], None],
        at_epoch: Callable[[EpochRecord], None],
        at_phase: Callable[[], None] = lambda: None,
    ) -> None:
        """Trains from where the state's cursor stands to the end of the last phase.

        Calls `at_tick` after every tick, where the state may be saved, and where an exception stops training;
        `at_epoch` at the end of an epoch, where the state may become that of an earlier one, and its cursor the
        beginning of a later phase; `at_phase` where a phase is about to begin, or none is left.
        """
        while self.state.cursor.phase < len(self.phases):
            phase = self.phases[self.state.cursor.phase]
            self._run_ticks(phase, at_tick)
            record = self._epoch_record(phase)
            self.state.end_epoch(record, is_last=record.epoch == phase.epochs)
            at_epoch(record)
            if self.state.cursor.epoch == 0:
                at_phase()

    def _run_ticks(self, phase: Phase, at_tick: Callable[[Progress], None]) -> None:
        """Trains from the cursor to the end of its epoch."""
        state, started = self.state, time.perf_counter()
        self.begin_epoch(state, phase)
        for tick in self.ticks.from_cursor(state.cursor):
            self._run_tick(tick, phase)
            state.cursor.step = tick.stop
            state.epoch_seconds += time.perf_counter() - started
            at_tick(self.progress())
            started = time.perf_counter()

    def _run_tick(self, tick: Tick, phase: Phase) -> None:
        """Takes the steps of a tick. Raises `DivergedError` where their loss says so."""
        cursor, loss_before = self.state.cursor, self._loss()
        self.executor(self.state, tick.batches, phase)
        self._refuse_bad_loss(phase)  # reads, and so waits for, the device
        if self.loss_of_nothing is not None:
            events = self._events(cursor.step, tick.stop) * len(phase.updates)
            untrained = self.loss_of_nothing(map_tensors(lambda each: each[0], tick.batches))
            where = f"at step {tick.stop} of phase {cursor.phase + 1}, epoch {cursor.epoch + 1}"
            refuse_far_above((self._loss() - loss_before) / events, untrained, where, phase.learning)

    @property
    def events_total(self) -> int:
        """The number of events in all epochs, those that are over and those that the phases have left."""
        cursor = self.state.cursor
        left = sum(phase.epochs for phase in self.phases[cursor.phase :]) - cursor.epoch
        over = sum(record.events for record in self.state.history)
        return over + self.events_of_epoch * left

    @cached_property
    def events_of_epoch(self) -> int:
        """The number of events that an epoch is fed."""
        return self._events(0, self.ticks.plan.num_steps)

    def length(self, phases: Sequence[Phase] | None = None) -> dict[str, Any]:
        """How long training is, of `phases` other than its own where they are given: passes over the training part,
        by the subnets that learn in them, and updates: steps times the updates that a phase makes of each
        mini-batch."""
        phases = self.phases if phases is None else phases
        epochs: dict[str, int] = {}
        for phase in phases:
            learning = "+".join(phase.learning)
            epochs[learning] = epochs.get(learning, 0) + phase.epochs
        updates = sum(phase.epochs * len(phase.updates) for phase in phases)
        return {"epochs": epochs, "updates": self.ticks.num_updating_steps * updates}

    def progress(self) -> Progress:
        """How far training is, within a phase."""
        cursor, history = self.state.cursor, self.state.history
        phase = self.phases[cursor.phase]
        events = self._events(0, cursor.step)
        done = events + sum(record.events for record in history)
        seconds = self.state.epoch_seconds + sum(record.seconds for record in history)
        return Progress(
            phase=cursor.phase + 1,
            epoch=cursor.epoch + 1,
            learning="+".join(phase.learning),
            loss=self._mean_loss(events, phase),
            events_done=done,
            events_total=self.events_total,
            events_per_s=done / seconds,
            seconds_left=self._training_left_s(events) + self.then_s,
        )

    def _training_left_s(self, events: int) -> float:
        """The seconds of training that are left, after so many events of the running epoch.

        Each kind of phase is as fast as it has been, or is expected to be; where neither is known, as all so far.
        """
        state, spent = self.state, defaultdict[tuple[Update, ...], list[tuple[float, int]]](list)
        for record in state.history:
            spent[self.phases[record.phase - 1].updates].append((record.seconds, record.events))
        spent[self.phases[state.cursor.phase].updates].append((state.epoch_seconds, events))
        overall = _per_event([each for kind in spent.values() for each in kind])
        left, over = 0.0, self.events_of_epoch * state.cursor.epoch + events
        for phase in self.phases[state.cursor.phase :]:
            known = spent.get(phase.updates)
            pace = _per_event(known) if known else self.expected.get(phase.updates, overall)
            left += pace * (self.events_of_epoch * phase.epochs - over)
            over = 0  # of the phases that are still to come
        return left

    def _epoch_record(self, phase: Phase) -> EpochRecord:
        """The record of the epoch that ends. Its events are all, also those of the last steps that can't update; the
        loss has none of these."""
        updating = self.ticks.num_updating_steps
        events = self._events(0, self.ticks.plan.num_steps)
        num_scores = self.ticks.num_scores * len(phase.updates)
        seconds = self.state.epoch_seconds
        return EpochRecord(
            phase=self.state.cursor.phase + 1,
            epoch=self.state.cursor.epoch + 1,
            learning="+".join(phase.learning),
            loss=self._mean_loss(self._events(0, updating), phase),
            saturated=float(self.state.tally["saturated"]) / max(1.0, num_scores),
            events=events,
            seconds=seconds,
            events_per_s=events / max(seconds, 1e-9),
            steps=self.ticks.plan.num_steps,
        )

    def _events(self, start: int, stop: int) -> int:
        """The number of events that the steps from `start` up to `stop` are fed."""
        return int(self.ticks.plan.num_active[start:stop].sum())

    def _loss(self) -> float:
        """The sum over the epoch's events so far."""
        return float(self.state.tally["loss"])

    def _mean_loss(self, events: int, phase: Phase) -> float:
        return self._loss() / max(1, events * len(phase.updates))

    def _refuse_bad_loss(self, phase: Phase) -> None:
        tally, cursor = self.state.tally, self.state.cursor
        if int(tally["first_bad_step"]) <= self.ticks.plan.num_steps:
            raise DivergedError(
                f"the loss is not finite since step {int(tally['first_bad_step'])} of phase {cursor.phase + 1}, "
                f"epoch {cursor.epoch + 1}, while {', '.join(phase.learning)} learned",
                rates_of(phase.learning),
            )


def _per_event(spent: Sequence[tuple[float, int]]) -> float:
    return sum(seconds for seconds, _ in spent) / max(1, sum(events for _, events in spent))
