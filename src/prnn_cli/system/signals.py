"""SIGINT and SIGTERM: at once, or, while a model trains, at the end of the tick. A second signal is always at once."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from prnn_cli.errors import Stopped


class StopSignal:
    """`number` is the signal that was received while stopping was deferred, else None."""

    def __init__(self) -> None:
        self.number: int | None = None
        self._deferred = False

    def install(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._receive)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """A signal that nobody asked about until the end is honoured then."""
        self.number, self._deferred = None, True
        try:
            yield
        finally:
            self._deferred = False
        if self.number is not None:
            raise Stopped(self.number)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self._deferred and self.number is None:
            self.number = number
        else:
            raise Stopped(number)


stop_signal = StopSignal()
