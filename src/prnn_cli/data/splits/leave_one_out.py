"""Leave-one-out: the last event of each session, or user, is what is ranked; those before it are its context."""

from collections import Counter

import numpy as np
import pyarrow as pa

from prnn_cli.data.counting_sort import counting_argsort
from prnn_cli.data.events import Events
from prnn_cli.data.parts import TEST, TRAIN, VALIDATION, Parted
from prnn_cli.data.session_filters import Log
from prnn_cli.data.splits.rule import SplitRule
from prnn_cli.schema import DatasetConfig

FEWEST = 3  # events: one to train on, the one that a hold-out ranks, the one that the test part ranks
TOO_SHORT = "sessions of fewer than three events"


def leave_one_out(log: Log, events: Events, dataset: DatasetConfig) -> Parted:
    """Training has each session without its last event, the test part has it whole; with `dataset.validation_days` the
    last event but one is ranked in the validation part, and training ends before it.

    Sessions of fewer than three events are dropped.
    """
    lengths = np.bincount(log.session)
    short = (lengths < FEWEST)[log.session]
    log = log.without(short)
    dropped = Counter({TOO_SHORT: int(np.count_nonzero(short))})
    from_end = _places_from_end(log.session)
    held_out = {TEST: 0, VALIDATION: 1} if dataset.validation_days else {TEST: 0}
    copies = [Log(*(each[from_end >= len(held_out)] for each in _columns(log)))]
    number = len(lengths)
    parts = [np.full(number, TRAIN, dtype=np.int8)]
    for nth, (part, place) in enumerate(held_out.items(), 1):
        session, item, time = (each[from_end >= place] for each in _columns(log))
        copies.append(Log((session + nth * number).astype(np.int32), item, time))
        parts.append(np.full(number, part, dtype=np.int8))
    ids = events.session_ids.slice(0, number)
    return Parted(
        _together(copies),
        np.concatenate(parts),
        pa.concat_arrays([ids] * len(copies)),
        dropped,
        ranks_last_only=True,
    )


def _columns(log: Log) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return log.session, log.item, log.time


def _places_from_end(session: np.ndarray) -> np.ndarray:
    """How many events of its session come after each event, (num_events,)."""
    order = counting_argsort(session)
    ends = np.cumsum(np.bincount(session))[session[order]]
    places = np.empty(len(session), dtype=np.int64)
    places[order] = ends - 1 - np.arange(len(session))
    return places


def _together(logs: list[Log]) -> Log:
    """The events of all, sorted by time."""
    session, item, time = (np.concatenate(each) for each in zip(*map(_columns, logs), strict=True))
    order = np.argsort(time, kind="stable")
    return Log(session[order], item[order], time[order])


LEAVE_ONE_OUT = SplitRule(
    parts=leave_one_out,
    options=("test_until",),
    decided_by=lambda dataset: "last_event",
    hold_out_days=lambda dataset: 1,
    advice=lambda part, dataset: "give a log of more sessions, or users, of three events and more",
)
