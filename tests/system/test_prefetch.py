"""Items made ahead of their use: the same ones, in order, and errors where they belong."""

import threading
import time
from collections.abc import Iterator

import pytest

from prnn_cli.system.prefetch import prefetch


def test_the_items_come_in_order_and_one_is_made_while_the_one_before_is_in_use() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(4):
            made.append(number)
            yield number

    used = []
    for item in prefetch(items()):
        until = time.monotonic() + 10
        while len(made) < min(item + 2, 4) and time.monotonic() < until:
            time.sleep(0.001)
        used.append((item, len(made)))
    assert used == [(0, 2), (1, 3), (2, 4), (3, 4)]


def test_nothing_comes_of_nothing() -> None:
    assert list(prefetch([])) == []


def test_an_error_reaches_who_asks_for_the_item() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no second one")

    coming = prefetch(items())
    assert next(coming) == 1
    with pytest.raises(ValueError, match="no second one"):
        next(coming)


def test_who_stops_early_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    for item in prefetch(range(1000)):
        if item == 2:
            break
    assert threading.active_count() == before
