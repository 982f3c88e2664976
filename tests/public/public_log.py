"""What a module of this folder says of one public log: how to write a small one of exactly its schema, and what of it
a preset keeps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

BEGIN = 1_396_828_800  # 2014-04-07T00:00:00Z, for logs to begin with
DAY = 86_400


@dataclass(frozen=True)
class PublicLog:
    """A small log of a preset's schema.

    write: writes its files, the ugly cases among them, into an empty folder
    options: overrides that a log of some tens of events needs, such as a lower item support
    rows, train, test, num_items: what `prnn preprocess` counts, worked out by hand
    sessions: of some sessions, the items in the order in which they are prepared, as text
    coverage: source of features -> items that have such; empty where the preset has no features
    features: overrides that choose the features, and make them small
    """

    name: str
    write: Callable[[Path], None]
    rows: int
    train: dict[str, int]
    test: dict[str, int]
    num_items: int
    options: Sequence[str] = ()
    features: Sequence[str] = ()
    sessions: dict[str, str] = field(default_factory=dict)
    coverage: dict[str, int] = field(default_factory=dict)


def at(seconds: float, timespec: str = "seconds") -> str:
    """The ISO text of a time, so many seconds after `BEGIN`."""
    time = datetime.fromtimestamp(BEGIN + seconds, UTC).isoformat(timespec=timespec)
    return time.replace("+00:00", "Z")
