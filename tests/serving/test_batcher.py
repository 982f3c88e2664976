"""Requests that gather while the engine works, seen by an engine that waits to be let go."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from prnn_cli.serving.batcher import Batcher, FullError


class Doubling:
    """Doubles numbers once it is let go, and keeps what it was asked together."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.go = threading.Event()

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.calls.append(list(numbers))
        self.go.wait(10)
        if 13 in numbers:
            raise ValueError("unlucky")
        return [2 * number for number in numbers]


def answers_of(engine: Doubling, numbers: Sequence[int], most: int = 10, waiting: int = 100) -> list[object]:
    async def ask_all() -> list[object]:
        batcher = Batcher(engine, most, waiting)
        first = asyncio.create_task(batcher.ask(numbers[0]))
        while not engine.calls:
            await asyncio.sleep(0.001)
        others = [asyncio.create_task(batcher.ask(number)) for number in numbers[1:]]
        await asyncio.sleep(0)
        engine.go.set()
        return list(await asyncio.gather(first, *others, return_exceptions=True))

    return asyncio.run(ask_all())


def test_what_arrives_while_the_engine_works_is_answered_together() -> None:
    engine = Doubling()
    assert answers_of(engine, [1, 2, 3, 4]) == [2, 4, 6, 8]
    assert engine.calls == [[1], [2, 3, 4]]


def test_a_call_takes_so_many_at_most() -> None:
    engine = Doubling()
    assert answers_of(engine, [1, 2, 3, 4, 5, 6], most=2) == [2, 4, 6, 8, 10, 12]
    assert engine.calls == [[1], [2, 3], [4, 5], [6]]


def test_an_error_reaches_those_who_asked_together_and_no_others() -> None:
    engine = Doubling()
    first, second, third, fourth = answers_of(engine, [1, 13, 3, 4], most=2)
    assert (first, fourth) == (2, 8)
    assert isinstance(second, ValueError)
    assert isinstance(third, ValueError)


def test_too_many_that_wait_are_refused_at_once() -> None:
    engine = Doubling()
    found = answers_of(engine, [1, 2, 3, 4], waiting=2)
    assert found[:3] == [2, 4, 6]
    assert isinstance(found[3], FullError)


def test_who_has_gone_holds_up_nobody() -> None:
    engine = Doubling()

    async def leave() -> int:
        batcher = Batcher(engine, 10, 10)
        leaving = asyncio.create_task(batcher.ask(1))
        while not engine.calls:
            await asyncio.sleep(0.001)
        staying = asyncio.create_task(batcher.ask(2))
        leaving.cancel()
        engine.go.set()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        return await staying

    assert asyncio.run(leave()) == 4
