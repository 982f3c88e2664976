"""The sessions that a server remembers by their keys: what each has clicked, and the state after it."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from prnn_cli.serving.engine import State
from prnn_cli.serving.served_model import ServedModel


@dataclass(frozen=True)
class Remembered:
    """A session so far.

    clicks: ids of known items, the latest last
    state: of the network after them, None before the first; model: that it is a state of
    """

    clicks: tuple[str, ...] = ()
    state: State | None = None
    model: ServedModel | None = None


class SessionStore:
    """Sessions by key, forgotten `ttl` seconds after their last click, the oldest first where there are too many."""

    def __init__(self, ttl: float, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.ttl, self.most, self._clock = ttl, most, clock
        self._sessions: OrderedDict[str, tuple[float, Remembered]] = (
            OrderedDict()
        )  # by time of the last click

    def __len__(self) -> int:
        self._forget()
        return len(self._sessions)

    def get(self, key: str) -> Remembered:
        """The session so far; one without clicks for a key that is new, or was forgotten."""
        self._forget()
        return self._sessions[key][1] if key in self._sessions else Remembered()

    def put(self, key: str, session: Remembered) -> None:
        self._sessions.pop(key, None)
        self._sessions[key] = (self._clock(), session)
        self._forget()

    def drop(self, key: str) -> bool:
        """Forgets a session; False where there was none."""
        self._forget()
        return self._sessions.pop(key, None) is not None

    def _forget(self) -> None:
        now = self._clock()
        while self._sessions:
            key, (since, _) = next(iter(self._sessions.items()))
            if now - since < self.ttl and len(self._sessions) <= self.most:
                return
            del self._sessions[key]
