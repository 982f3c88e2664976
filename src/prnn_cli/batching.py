"""Session-parallel mini-batches: which event of which session each slot is fed at each step, planned once.

Shapes: T steps, B slots, M output items (the B targets, then the sampled negatives).
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from prnn_cli.data.prepare import PreparedData
from prnn_cli.data.sessions import Sessions
from prnn_cli.system.cache import Identity, load_arrays, load_or_make, save_arrays
from prnn_cli.system.tree import tensors_of, with_tensors

PLAN_FORMAT = 2  # part of the file's name: raise it with every change of the plan
# The kinds of output tables: those that clicks leave alone, and one that they read.
OUTPUT, TIED = "output", "tied"
WORTH_KEEPING = 100_000  # sessions: below, a plan is made as fast as it is read


@dataclass(frozen=True)
class TableRows:
    """The n rows of a table that a step touches; a row may occur several times.

    `first` holds for each position the first one with the same row, where the gradients of this row are summed. Where
    a click touches several rows (those of its text's terms), `slot` says whose they are, and `weight` how much each
    counts.
    """

    index: Tensor  # (n,)
    first: Tensor  # (n,)
    slot: Tensor | None = None  # (n,)
    weight: Tensor | None = None  # (n,)


@dataclass(frozen=True)
class Clicks:
    """The clicked item of each slot, (B,), and the rows of tables that these clicks touch, by their reader's name."""

    items: Tensor
    rows: dict[str, TableRows]


@dataclass(frozen=True)
class Batch:
    """One mini-batch. Its shapes are the same at every step, so that a step can be compiled once.

    So a slot that has run out of sessions stays, as an idle one (`active` 0) which the loss leaves out. It shadows the
    first active slot: it repeats its items, as any other row that it touched would be moved by its momentum.

    `active` and `keep_masks` are numbers: compiled loops would turn each bool into a number by itself, which takes
    longer than the rest of the loop.
    """

    clicks: Clicks
    outputs: TableRows | None  # (M,) items whose scores are asked for; None: each of the catalogue, M = N
    new_session: Tensor  # (B,) bool
    active: Tensor  # (B,) float, 1 or 0
    keep_masks: dict[str, Tensor] = field(
        default_factory=dict
    )  # uint8, 0 where dropped, or 1: `Subnet.masks`
    correction: Tensor | None = None  # (M,) to be subtracted from the columns' scores in the loss
    targets: Tensor | None = None  # (B,) the column of each slot's target; None: slot i's is column i
    tied: TableRows | None = (
        None  # (M + B,) of an output table that clicks read too: `outputs`, then the clicks
    )

    def rows(self, kind: str) -> TableRows | None:
        """The rows that the step touches of the tables of this kind: OUTPUT, TIED, or the name of a reader.

        None where it touches all of them.
        """
        whole_or_rows = {OUTPUT: self.outputs, TIED: self.tied}
        return whole_or_rows[kind] if kind in whole_or_rows else self.clicks.rows[kind]


def concatenated(shards: Sequence[Clicks]) -> Clicks:
    """The (T, B) clicks of several shards side by side; `TableRows.slot` still counts within its shard."""
    if len(shards) == 1:
        return shards[0]
    joined = (torch.cat(each, dim=1) for each in zip(*map(tensors_of, shards), strict=True))
    clicks = with_tensors(shards[0], joined)
    rows = {name: replace(each, first=first_occurrence(each.index)) for name, each in clicks.rows.items()}
    return replace(clicks, rows=rows)


@dataclass(frozen=True)
class StepInputs:
    """What T consecutive steps read from the log, each field (T, B), as `Batch` holds it."""

    input_items: Tensor
    target_items: Tensor
    new_session: Tensor
    active: Tensor


@dataclass(frozen=True)
class SessionParallelPlan:
    """What each slot is fed in an epoch: sessions in order of their first event, each in the slot that is free first.

    Of several slots that are free at once the lowest takes the next session.

    positions: (num_steps, num_slots), the event fed to a slot, -1 where the slot has run out of sessions; the
    target is the event after it.
    """

    sessions: Sessions
    positions: np.ndarray

    @classmethod
    def build(cls, sessions: Sessions, num_slots: int) -> "SessionParallelPlan":
        """The plan of these sessions. One of n events takes n - 1 steps of a slot, so one of a single event none."""
        lengths = np.maximum(np.diff(sessions.offsets) - 1, 0)
        first_step, slot = _seat(lengths.tolist(), num_slots)
        num_steps = int((first_step + lengths).max(initial=0))
        positions = np.full((num_steps, num_slots), -1, dtype=np.int32)
        session = np.repeat(np.arange(len(lengths)), lengths)  # of each fed event
        nth = np.arange(len(session)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        positions[first_step[session] + nth, slot[session]] = sessions.offsets[session] + nth
        return cls(sessions, positions)

    @classmethod
    def of_like_lengths(cls, sessions: Sessions, num_slots: int) -> "SessionParallelPlan":
        """A plan whose sessions begin together with those of about their length, the longest first.

        So few steps are the last of any session, but slots are idle until their block ends.
        """
        lengths = np.maximum(np.diff(sessions.offsets) - 1, 0)
        order = np.argsort(-lengths, kind="stable")
        blocks = [np.empty((0, num_slots), dtype=np.int32)]
        for start in range(0, len(order), num_slots):
            which = order[start : start + num_slots]
            nth = np.arange(lengths[which[0]])[:, None]
            block = np.full((len(nth), num_slots), -1, dtype=np.int32)
            block[:, : len(which)] = np.where(nth < lengths[which], sessions.offsets[which] + nth, -1)
            blocks.append(block)
        return cls(sessions, np.concatenate(blocks))

    @property
    def num_steps(self) -> int:
        return len(self.positions)

    @property
    def num_slots(self) -> int:
        return int(self.positions.shape[1])

    @cached_property
    def num_active(self) -> np.ndarray:
        """The number of active slots, (num_steps,); never grows in a plan of `build`, whose slots empty only once no
        session is left."""
        return np.asarray((self.positions >= 0).sum(axis=1))

    @cached_property
    def _starts_session(self) -> np.ndarray:
        starts = np.zeros(self.sessions.num_events, dtype=bool)
        starts[self.sessions.offsets[:-1]] = True
        return starts

    def steps(self, start: int, stop: int, device: torch.device | str = "cpu") -> StepInputs:
        """What the steps from `start` up to `stop` read; an idle slot has the items of the first active one."""
        positions = self.positions[start:stop]
        active = positions >= 0
        first_active = np.take_along_axis(positions, active.argmax(axis=1)[:, None], axis=1)
        positions = np.where(active, positions, first_active)
        items = self.sessions.items

        def on_device(array: np.ndarray) -> Tensor:
            return torch.from_numpy(array).to(device)

        return StepInputs(
            input_items=on_device(items[positions].astype(np.int64)),
            target_items=on_device(items[positions + 1].astype(np.int64)),
            new_session=on_device(self._starts_session[positions]),
            active=on_device(active.astype(np.float32)),
        )


def first_occurrence(items: Tensor) -> Tensor:
    """The first position in the same row that holds the same item, (T, M), for items (T, M)."""
    width = items.shape[1]
    place = torch.arange(width, device=items.device).expand_as(items)
    ordered = torch.sort(items * width + place, dim=1).values  # keys that differ: faster than a stable sort
    position = ordered % width
    ordered = ordered // width
    starts_group = torch.ones_like(ordered, dtype=torch.bool)
    starts_group[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    group_start = torch.where(starts_group, place, 0).cummax(dim=1).values
    return torch.empty_like(items).scatter_(1, position, position.gather(1, group_start))


def _seat(lengths: list[int], num_slots: int) -> tuple[np.ndarray, np.ndarray]:
    """The first step and the slot of each session."""
    # A heap of (step at which it is free, slot), whose least is the slot for the next session.
    free = [(0, slot) for slot in range(num_slots)]
    first_step = np.empty(len(lengths), dtype=np.int64)
    slots = np.empty(len(lengths), dtype=np.int64)
    for session, length in enumerate(lengths):
        step, slot = free[0]
        first_step[session], slots[session] = step, slot
        heapq.heapreplace(free, (step + length, slot))
    return first_step, slots


def training_plan(data: PreparedData, num_slots: int, cache_dir: Path) -> SessionParallelPlan:
    """The plan of `data.train`, kept for later runs on the same data where that is worth it."""
    if data.train.num_sessions < WORTH_KEEPING:
        return SessionParallelPlan.build(data.train, num_slots)
    identity = Identity.of(PLAN_FORMAT, [data.data_hash, num_slots])
    file = cache_dir / "plans" / f"{identity.hash}.safetensors"

    def load() -> SessionParallelPlan:
        return SessionParallelPlan(data.train, load_arrays(file, identity)["positions"])

    def make() -> SessionParallelPlan:
        plan = SessionParallelPlan.build(data.train, num_slots)
        save_arrays(file, identity, {"positions": plan.positions})
        return plan

    return load_or_make(file, load, make, what="the plan of mini-batches")
