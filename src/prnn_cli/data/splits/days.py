"""The paper's split (section 5): sessions of the last days are the test part."""

import numpy as np

from prnn_cli.data.events import Events
from prnn_cli.data.parts import (
    TEST,
    TRAIN,
    Parted,
    deciding_times,
    seconds,
    start_of_last_days,
    with_last_days_held_out,
)
from prnn_cli.data.session_filters import Log
from prnn_cli.data.splits.rule import SplitRule
from prnn_cli.schema import AUTO, DatasetConfig


def days(log: Log, events: Events, dataset: DatasetConfig) -> Parted:
    """Each session as a whole, by the time of its last event, or of its first (`dataset.test_by`)."""
    times = deciding_times(log, dataset.test_by)
    part = np.where(times >= _test_start(times, dataset), TEST, TRAIN).astype(np.int8)
    return Parted(log, with_last_days_held_out(part, times, dataset), events.session_ids)


def _test_start(times: np.ndarray, dataset: DatasetConfig) -> float:
    if dataset.test_from is not None:
        return seconds("test_from", dataset.test_from)
    return start_of_last_days(times.max(), dataset.test_days, dataset.days)


def hold_out_days(dataset: DatasetConfig) -> float | str:
    """As many days as are tested; those from a date on are known by the log alone."""
    return dataset.test_days if dataset.test_from is None else AUTO


def advice(part: str, dataset: DatasetConfig) -> str:
    """What brings more sessions into a part of a log of which the last days are the test part."""
    if part == "validation":
        return "raise dataset.validation_days"
    if part == "test":
        return (
            "set an earlier dataset.test_from"
            if dataset.test_from
            else "raise dataset.test_days, or set an earlier dataset.test_from"
        )
    shorter = "set a later dataset.test_from" if dataset.test_from else "lower dataset.test_days"
    if dataset.validation_days:
        return f"{shorter}, or lower dataset.validation_days"
    if dataset.test_from or dataset.test_days > 1:
        return shorter
    return (
        "all of it lies in the test part: give a log of more days, or begin the test part at a time of day, as with "
        "dataset.test_from=2011-02-22T18:00"
    )


DAYS = SplitRule(
    parts=days,
    options=("test_days", "days", "test_from", "test_until", "test_by"),
    decided_by=lambda dataset: dataset.test_by,
    hold_out_days=hold_out_days,
    advice=advice,
)
