"""Making the next one while this one is worked on."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def prefetch(items: Iterable[T]) -> Iterator[T]:
    """The same, each made in a thread while the one before it is in use."""
    made, end = iter(items), object()
    with ThreadPoolExecutor(1) as worker:
        coming = worker.submit(next, made, end)
        while (item := coming.result()) is not end:
            coming = worker.submit(next, made, end)
            yield item  # type: ignore[misc]
