"""Sessions: what training, ranking and baselines read of a prepared log."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Sessions:
    """The sessions of a part, one after another in the order of their first events.

    items: (num_events,) int32, item_index of each event
    offsets: (num_sessions + 1,) int64; session s holds events offsets[s]:offsets[s + 1]
    session_index: (num_sessions,) int64, the session's number in events.parquet
    ranks_last_only: the last event of each session is predicted alone; else all but the first are
    """

    items: np.ndarray
    offsets: np.ndarray
    session_index: np.ndarray
    num_items: int
    ranks_last_only: bool = False

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
        """The number of events that are predicted."""
        return int(self.num_ranked_each.sum())

    @property
    def num_ranked_each(self) -> np.ndarray:
        """The number of events of each session, (num_sessions,), that are predicted."""
        others = np.diff(self.offsets) - 1
        return np.minimum(others, 1) if self.ranks_last_only else others

    @property
    def is_ranked(self) -> np.ndarray:
        """Whether each event, (num_events,) bool, is predicted from those before it in its session."""
        ranked = np.full(self.num_events, not self.ranks_last_only)
        if self.ranks_last_only:
            ranked[self.offsets[1:] - 1] = True
        ranked[self.offsets[:-1]] = False
        return ranked

    def subset(self, which: np.ndarray) -> "Sessions":
        """The sessions of these numbers, which rise."""
        lengths = np.diff(self.offsets)
        is_kept = np.zeros(self.num_sessions, dtype=bool)
        is_kept[which] = True
        return replace(
            self,
            items=self.items[np.repeat(is_kept, lengths)],
            offsets=np.append(0, np.cumsum(lengths[which])),
            session_index=self.session_index[which],
        )

    def shards(self, number: int) -> "list[Sessions]":
        """Cuts the sessions into `number` runs of neighbours with about equally many events each."""
        if number == 1:
            return [self]
        bounds = np.searchsorted(self.offsets, np.linspace(0, self.num_events, number + 1))
        return [self._run(start, stop) for start, stop in pairwise(bounds.tolist())]

    def _run(self, start: int, stop: int) -> "Sessions":
        offsets = self.offsets[start : stop + 1]
        return replace(
            self,
            items=self.items[offsets[0] : offsets[-1]],
            offsets=offsets - offsets[0],
            session_index=self.session_index[start:stop],
        )


def sessions_of(events: pd.DataFrame, part: str, num_items: int, ranks_last_only: bool = False) -> Sessions:
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
        ranks_last_only=ranks_last_only,
    )
