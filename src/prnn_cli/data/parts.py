"""Which part of a log a session belongs to: training, validation or test, by the time of its last or first event."""

from datetime import UTC, datetime

import numpy as np

from prnn_cli.data.session_filters import Log
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig

DAY_S = 86_400
PARTS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)


def deciding_times(log: Log, test_by: str) -> np.ndarray:
    """The time of the event that decides the part of each session, by its code; −inf for one without events."""
    times = np.full(int(log.session.max(initial=-1)) + 1, -np.inf)
    if test_by == "last_event":
        times[log.session] = log.time  # of several values for one place the last one stays
    else:
        times[log.session[::-1]] = log.time[::-1]
    return times


def is_after_end(log: Log, dataset: DatasetConfig) -> np.ndarray:
    """Whether each event, (num_events,), is of a session whose deciding event lies at `dataset.test_until` or later."""
    if dataset.test_until is None:
        return np.zeros(len(log), dtype=bool)
    end = _seconds("test_until", dataset.test_until)
    gone: np.ndarray = (deciding_times(log, dataset.test_by) >= end)[log.session]
    return gone


def parts_of_sessions(log: Log, dataset: DatasetConfig) -> np.ndarray:
    """The part of each session, by its code; that of a session without events is train."""
    times = deciding_times(log, dataset.test_by)
    part = np.where(times >= _test_start(times, dataset), TEST, TRAIN).astype(np.int8)
    if dataset.validation_days:
        last = times[part == TRAIN].max(initial=-np.inf)
        if np.isfinite(last):
            late = times >= _last_days(last, dataset.validation_days, dataset.days)
            part[late & (part == TRAIN) & np.isfinite(times)] = VALIDATION
    return part


def _test_start(times: np.ndarray, dataset: DatasetConfig) -> float:
    if dataset.test_from is not None:
        return _seconds("test_from", dataset.test_from)
    return _last_days(times.max(), dataset.test_days, dataset.days)


def _last_days(last: float, num_days: int, days: str) -> float:
    """The time at which the last `num_days` days of a log that ends at `last` begin."""
    if days == "24_hours":
        return last - num_days * DAY_S
    return float((last // DAY_S - (num_days - 1)) * DAY_S)


def _seconds(option: str, value: str) -> float:
    try:
        time = datetime.fromisoformat(value)
    except ValueError as error:
        raise UserError(
            f"dataset.{option}={value} is no date; write it as 2011-02-22, or with a time of day (UTC) as "
            "2011-02-22T18:00"
        ) from error
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
