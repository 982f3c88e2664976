"""A test part as published: the sessions of a log of its own."""

import numpy as np

from prnn_cli.data.events import Events
from prnn_cli.data.parts import TEST, TRAIN, Parted, deciding_times, with_last_days_held_out
from prnn_cli.data.session_filters import Log
from prnn_cli.data.splits.rule import SplitRule
from prnn_cli.data.splits.share import with_share_held_out
from prnn_cli.schema import AUTO, DatasetConfig


def given(log: Log, events: Events, dataset: DatasetConfig) -> Parted:
    """The sessions of `dataset.test_path` are the test part, those of `dataset.path` the others.

    The validation part is the last days of training; of a log without times, a share of its sessions.
    """
    assert events.is_test is not None  # `read_events` reads both logs
    part = np.where(events.is_test, TEST, TRAIN).astype(np.int8)
    if dataset.columns.time is None:
        part = with_share_held_out(part, events, dataset)
    else:
        times = deciding_times(log, "last_event")
        times = np.append(times, np.full(len(part) - len(times), -np.inf))
        part = with_last_days_held_out(part, times, dataset)
    return Parted(log, part, events.session_ids)


def advice(part: str, dataset: DatasetConfig) -> str:
    """What brings more sessions into a part where the test part is a log of its own."""
    if part == "test":
        return "check that dataset.path and dataset.test_path name the same items, or give a larger dataset.test_path"
    if part == "train":
        shorter = "lower dataset.validation_days, or " if dataset.validation_days else ""
        return f"{shorter}give a larger dataset.path"
    return f"raise dataset.{'test_share' if dataset.columns.time is None else 'validation_days'}"


GIVEN = SplitRule(
    parts=given,
    options=("test_path", "test_until"),
    of_hold_out=("days", "test_share"),
    decided_by=lambda dataset: "last_event",
    hold_out_days=lambda dataset: 1 if dataset.columns.time is None else AUTO,
    advice=advice,
)
