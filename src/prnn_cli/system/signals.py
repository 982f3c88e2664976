"""Stops by SIGINT and SIGTERM: at once, or, while a model trains, at the end of the tick; a later one at once.

Schedulers and shells send a signal to a process and to its group, so the same one comes twice within milliseconds.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from prnn_cli.errors import Stopped

REPEATED_S = (
    1.0  # in which a further signal is the same one: it must not cost the checkpoint that the first asks for
)


class StopSignal:
    """The handler of the signals. number: the one that was received while stopping was deferred, else None"""

    def __init__(self) -> None:
        self.number: int | None = None
        self._deferred = False
        self._received = float("-inf")

    def install(self) -> None:
        """Makes this the process's handler; from now on a signal raises `Stopped`."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._receive)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Defers a signal until it is asked for by `number`, at the latest until the context is left."""
        self.number, self._deferred = None, True
        try:
            yield
        finally:
            self._deferred = False
        if self.number is not None:
            raise Stopped(self.number)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        now, before = time.monotonic(), self._received
        if now - before < REPEATED_S:
            return
        self._received = now
        if self._deferred and self.number is None:
            self.number = number
        else:
            raise Stopped(number)


stop_signal = StopSignal()
