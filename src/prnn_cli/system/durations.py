"""Durations: for people, and of work side by side."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass


def shown_duration(seconds: float) -> str:
    """A duration in two units at most: 0.4 s, 12 s, 3 min 20 s, 1 h 5 min."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{round(whole / 60)} min"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def side_by_side_s(seconds: Sequence[float], jobs: int) -> float:
    """The seconds of trainings that take so many each, so many at a time: the next one begins where one ends."""
    ends = [0.0] * jobs
    for each in seconds:
        first = min(range(jobs), key=ends.__getitem__)
        ends[first] += each
    return max(ends)


@dataclass
class Clock:
    """The seconds that something took, once it is over."""

    seconds: float = 0.0


@contextmanager
def timed() -> Iterator[Clock]:
    """Times what is done in the context."""
    clock, started = Clock(), time.perf_counter()
    yield clock
    clock.seconds = time.perf_counter() - started
