"""A test part as published: the sessions of a log of its own."""

import numpy as np

from prnn_cli.data.events import Events
from prnn_cli.data.parts import TEST, TRAIN, Parted, deciding_times, with_last_days_held_out
from prnn_cli.data.session_filters import Log
from prnn_cli.data.splits.share import with_share_held_out
from prnn_cli.schema import DatasetConfig


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
