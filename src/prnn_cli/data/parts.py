"""The parts of a log: training, validation, test; how a split rule tells which sessions belong to which."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from prnn_cli.data.session_filters import Log
from prnn_cli.errors import UserError
from prnn_cli.schema import AUTO, DatasetConfig

DAY_S = 86_400
PARTS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)
MOST_HELD_OUT = 0.25  # of the sessions or the time before the test part, where a hold-out is to be like that
CUT_SHORT = "sessions of one event before the test part"


def unknown_in_training(part: str) -> str:
    """The reason for which events of a part are dropped whose items no model can know."""
    return f"{part}: items unknown in training"


@dataclass(frozen=True)
class Parted:
    """What a split rule makes of a filtered log.

    part: (num_sessions,) int8, the part of each session, by its code; that of a session without events is train
    session_ids: by code
    dropped: events that the rule took out, by reason
    ranks_last_only: test and validation part hold events that an earlier part holds too, and of each of their sessions
        only the last event is ranked; else every event but the first is
    """

    log: Log
    part: np.ndarray
    session_ids: pa.Array
    dropped: Counter[str] = field(default_factory=Counter)
    ranks_last_only: bool = False


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
    end = seconds("test_until", dataset.test_until)
    gone: np.ndarray = (deciding_times(log, dataset.test_by) >= end)[log.session]
    return gone


def with_last_days_held_out(part: np.ndarray, times: np.ndarray, dataset: DatasetConfig) -> np.ndarray:
    """The parts with the last `dataset.validation_days` of training as validation part; times: `deciding_times`."""
    if dataset.validation_days:
        last = times[part == TRAIN].max(initial=-np.inf)
        if np.isfinite(last):
            late = times >= _hold_out_start(part, times, last, dataset)
            part[late & (part == TRAIN) & np.isfinite(times)] = VALIDATION
    return part


def _hold_out_start(part: np.ndarray, times: np.ndarray, last: float, dataset: DatasetConfig) -> float:
    if dataset.validation_days == AUTO:
        return last - seconds_like_test_part(part, times)
    return start_of_last_days(last, dataset.validation_days, dataset.days)


def seconds_like_test_part(part: np.ndarray, times: np.ndarray) -> float:
    """The length of a validation part that lasts as long as the test part, but no more than a quarter of what comes
    before it; times: `deciding_times`."""
    training, test = (_duration(times[part == code]) for code in (TRAIN, TEST))
    return min(test, MOST_HELD_OUT * training)


def _duration(times: np.ndarray) -> float:
    times = times[np.isfinite(times)]
    return float(np.ptp(times)) if len(times) else 0.0


def start_of_last_days(last: float, num_days: float, days: str) -> float:
    """The time at which the last `num_days` days of a log that ends at `last` begin."""
    if days == "24_hours":
        return last - num_days * DAY_S
    return float((last // DAY_S - (num_days - 1)) * DAY_S)


def seconds(option: str, value: str) -> float:
    """The time, in seconds since 1970, that `dataset.{option}` gives as a date. Raises `UserError` for no date."""
    try:
        time = datetime.fromisoformat(value)
    except ValueError as error:
        raise UserError(
            f"dataset.{option}={value} is no date; write it as 2011-02-22, or with a time of day (UTC) as "
            "2011-02-22T18:00"
        ) from error
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
