"""The sliding windows of session-rec (Ludewig et al., UMUAI 2021): days of training, then days of the test part."""

from collections import Counter

import numpy as np

from prnn_cli.data.events import Events
from prnn_cli.data.parts import DAY_S, TEST, TRAIN, VALIDATION, Parted, deciding_times
from prnn_cli.data.session_filters import Log
from prnn_cli.data.splits.rule import SplitRule
from prnn_cli.schema import DatasetConfig

OUTSIDE = "sessions outside the window"


def window(log: Log, events: Events, dataset: DatasetConfig) -> Parted:
    """Window n of the filtered log, by the time of each session's last event; what lies outside is dropped.

    It begins offset + (n − 1) · shift days after the log's first event; days are 24 hours. (`split_data_slice` of
    rn5l/session-rec, whose windows hold their last moment too.)
    """
    chosen = dataset.window
    last = deciding_times(log, "last_event")
    begin = float(log.time[0]) + (chosen.offset_days + (chosen.number - 1) * chosen.shift_days) * DAY_S
    middle = begin + chosen.train_days * DAY_S
    end = middle + chosen.test_days * DAY_S
    gone = ((last < begin) | (last > end))[log.session]
    part = np.where((last >= middle) & (last <= end), TEST, TRAIN).astype(np.int8)
    if dataset.validation_days:
        held_out_from = max(begin, middle - dataset.validation_days * DAY_S)
        part[(last >= held_out_from) & (last < middle)] = VALIDATION
    dropped = Counter({OUTSIDE: int(np.count_nonzero(gone))})
    return Parted(log.without(gone), part, events.session_ids, dropped)


def advice(part: str, dataset: DatasetConfig) -> str:
    """What brings more sessions into a part of a window."""
    within = "choose a dataset.window that lies within the log"
    if part == "validation":
        return f"{within}, or raise dataset.validation_days"
    shorter = "lower dataset.validation_days, or " if part == "train" and dataset.validation_days else ""
    return f"{shorter}{within}, or raise dataset.window.{part}_days"


WINDOW = SplitRule(
    parts=window,
    options=("window", "test_until"),
    decided_by=lambda dataset: "last_event",
    hold_out_days=lambda dataset: dataset.window.test_days,
    advice=advice,
)
