"""Sessions: what training, ranking and baselines read of a prepared log."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Sessions:
    """The sessions of a part, one after another in the order of their first events.

    items: (num_events,) int32, item_index of each event
    offsets: (num_sessions + 1,) int64; session s holds events offsets[s]:offsets[s + 1]
    session_index: (num_sessions,) int64, the session's number in events.parquet
    """

    items: np.ndarray
    offsets: np.ndarray
    session_index: np.ndarray
    num_items: int

    def __post_init__(self) -> None:
        """Makes the arrays read-only: what writes into sessions would change them for all who read them later."""
        for array in (self.items, self.offsets, self.session_index):
            array.flags.writeable = False

    @property
    def num_sessions(self) -> int:
        return len(self.offsets) - 1

    @property
    def num_events(self) -> int:
        return len(self.items)

    @property
    def num_ranked(self) -> int:
        """The number of events that are predicted: all but the first of each session."""
        return self.num_events - self.num_sessions

    def subset(self, which: np.ndarray) -> "Sessions":
        """The sessions of these numbers, which rise."""
        lengths = np.diff(self.offsets)
        is_kept = np.zeros(self.num_sessions, dtype=bool)
        is_kept[which] = True
        return Sessions(
            self.items[np.repeat(is_kept, lengths)],
            np.append(0, np.cumsum(lengths[which])),
            self.session_index[which],
            self.num_items,
        )

    def shards(self, number: int) -> "list[Sessions]":
        """Cuts the sessions into `number` runs of neighbours with about equally many events each."""
        if number == 1:
            return [self]
        bounds = np.searchsorted(self.offsets, np.linspace(0, self.num_events, number + 1))
        return [self._run(start, stop) for start, stop in pairwise(bounds.tolist())]

    def _run(self, start: int, stop: int) -> "Sessions":
        offsets = self.offsets[start : stop + 1]
        return Sessions(
            self.items[offsets[0] : offsets[-1]],
            offsets - offsets[0],
            self.session_index[start:stop],
            self.num_items,
        )


def sessions_of(events: pd.DataFrame, part: str, num_items: int) -> Sessions:
    """The sessions of one part of `SplitLog.events`."""
    categories = events["part"].cat
    rows = categories.codes.to_numpy() == categories.categories.get_loc(part)
    session_index = events["session_index"].to_numpy()[rows]
    starts = np.flatnonzero(np.diff(session_index, prepend=-1))
    return Sessions(
        items=events["item_index"].to_numpy(dtype=np.int32)[rows],
        offsets=np.append(starts, len(session_index)).astype(np.int64),
        session_index=session_index[starts].astype(np.int64),
        num_items=num_items,
    )
