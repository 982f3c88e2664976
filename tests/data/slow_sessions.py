"""The preprocessing of section 5 with lists and dicts, to compare the fast one with."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

from prnn_cli.schema import DatasetConfig

DAY_S = 86_400

Event = tuple[str, str, float]  # session_id, item_id, time


@dataclass
class SlowSplit:
    """Sessions as (session_id, item_ids), a list for each part, and the events that were dropped."""

    parts: dict[str, list[tuple[str, list[str]]]]
    item_ids: list[str]
    num_dropped: int


def slow_split(events: list[Event], dataset: DatasetConfig) -> SlowSplit:
    """`events` in the order of the files; knows min_item_support, max_session_length, and all that cuts the parts."""
    log = sorted(events, key=lambda event: event[2])
    if dataset.test_until is not None:
        end = seconds(dataset.test_until)
        when = deciding_times(log, dataset.test_by)
        log = [event for event in log if when[event[0]] < end]
    limit = dataset.max_session_length or len(log)
    lengths = session_lengths(log)
    log = [event for event in log if lengths[event[0]] <= limit]
    log = filtered(log, dataset.min_item_support, dataset.repeat_until_stable)
    training, test = cut(log, dataset.test_days, dataset, dataset.test_from)
    parts = {"train": training, "test": known(test, training)}
    if dataset.validation_days:
        train, validation = cut(training, dataset.validation_days, dataset)
        parts = {"train": train, "validation": known(validation, train), "test": parts["test"]}
    kept = sum(len(part) for part in parts.values())
    return SlowSplit(
        {name: as_sessions(part) for name, part in parts.items()},
        sorted({item for _, item, _ in training}),
        len(events) - kept,
    )


def session_lengths(log: list[Event]) -> Counter[str]:
    return Counter(session for session, _, _ in log)


def without_short(log: list[Event]) -> list[Event]:
    lengths = session_lengths(log)
    return [event for event in log if lengths[event[0]] > 1]


def filtered(log: list[Event], min_support: int, repeat: bool) -> list[Event]:
    while True:
        before = log
        log = without_short(log)
        support = Counter(item for _, item, _ in log)
        log = [event for event in log if support[event[1]] >= min_support]
        if log == before or not repeat:
            return without_short(log)


def deciding_times(log: list[Event], test_by: str) -> dict[str, float]:
    """session_id: the time of its last event, or of its first one"""
    choose = {"last_event": max, "first_event": min}[test_by]
    times: dict[str, list[float]] = defaultdict(list)
    for session, _, time in log:
        times[session].append(time)
    return {session: choose(each) for session, each in times.items()}


def seconds(date: str) -> float:
    time = datetime.fromisoformat(date)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def cut(
    log: list[Event], num_days: int, dataset: DatasetConfig, begins: str | None = None
) -> tuple[list[Event], list[Event]]:
    when = deciding_times(log, dataset.test_by)
    last = max(when.values())
    start = last - num_days * DAY_S
    if dataset.days == "calendar":
        start = (last // DAY_S - num_days + 1) * DAY_S
    if begins is not None:
        start = seconds(begins)
    early = [event for event in log if when[event[0]] < start]
    late = [event for event in log if when[event[0]] >= start]
    return early, late


def known(part: list[Event], training: list[Event]) -> list[Event]:
    items = {item for _, item, _ in training}
    return without_short([event for event in part if event[1] in items])


def as_sessions(log: list[Event]) -> list[tuple[str, list[str]]]:
    sessions: dict[str, list[str]] = defaultdict(list)
    for session, item, _ in log:
        sessions[session].append(item)
    return list(sessions.items())
