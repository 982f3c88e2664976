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
from prnn_cli.schema import DatasetConfig


def days(log: Log, events: Events, dataset: DatasetConfig) -> Parted:
    """Each session as a whole, by the time of its last event, or of its first (`dataset.test_by`)."""
    times = deciding_times(log, dataset.test_by)
    part = np.where(times >= _test_start(times, dataset), TEST, TRAIN).astype(np.int8)
    return Parted(log, with_last_days_held_out(part, times, dataset), events.session_ids)


def _test_start(times: np.ndarray, dataset: DatasetConfig) -> float:
    if dataset.test_from is not None:
        return seconds("test_from", dataset.test_from)
    return start_of_last_days(times.max(), dataset.test_days, dataset.days)
