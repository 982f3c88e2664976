"""Requests that arrive together -> one call of the engine.

While the engine works on some, others gather; when it is done, it takes all that have gathered. No request waits for a
timer, and under load a call serves many.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class FullError(Exception):
    """More requests wait than a server should keep waiting."""


class Batcher(Generic[Q, A]):
    """answer: of some questions at once, in a thread of its own; most: questions of a call; waiting: that may wait"""

    def __init__(self, answer: Callable[[Sequence[Q]], Sequence[A]], most: int, waiting: int) -> None:
        self._answer, self._most, self._waiting = answer, most, waiting
        self._queue: list[tuple[Q, asyncio.Future[A]]] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="engine")
        self._working: asyncio.Task[None] | None = None
        self.sizes: Callable[[int], object] = lambda size: None  # told how many each call serves

    async def ask(self, question: Q) -> A:
        """The answer. Raises `FullError` where too many wait already, and what `answer` raises."""
        if len(self._queue) >= self._waiting:
            raise FullError
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._queue.append((question, future))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._queue:
            batch, self._queue = self._queue[: self._most], self._queue[self._most :]
            self.sizes(len(batch))
            try:
                answers = await loop.run_in_executor(self._thread, self._answer, [each for each, _ in batch])
            except Exception as error:  # each of them has to know
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():  # its client may have gone
                    future.set_result(answer)
