"""Events as numbers, which find equal ones by a sort: all of a log, or of a large one those of some sessions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

SAMPLE = 1_000_000  # events that are compared: of a larger log those of some sessions


@dataclass(frozen=True)
class EventKeys:
    """Events of a log, equal ones together, in the order in which they stand in its files.

    keys: (num_sampled,) uint64, equal for equal events, and for few others
    places: (num_sampled,) of the events among all of the log, from 0
    file_of: (num_sampled,) the number of the file of each
    every: one of so many sessions was chosen, by chance, with all its events
    """

    keys: np.ndarray
    places: np.ndarray
    file_of: np.ndarray
    every: int


def keys_of_events(num_events: Sequence[int], table: pa.Table, has_sessions: bool) -> EventKeys:
    """The keys of events, which are equal if session, item and time are.

    num_events: of each file
    table: session_id, item_id (dictionaries) and time of all events, file by file
    has_sessions: else session_id numbers rows, and item and time alone are compared
    """
    names = ("session_id", "item_id") if has_sessions else ("item_id",)
    columns = [table[name].combine_chunks().indices.to_numpy() for name in names]
    time = table["time"].to_numpy()
    every = -(-len(time) // SAMPLE)
    is_chosen = _mixed(np.arange(columns[0].max() + 1, dtype=np.uint64)) % np.uint64(every) == 0
    places = np.flatnonzero(is_chosen[columns[0]])
    keys = _mixed(time[places].view(np.uint64))
    for values in columns:
        keys = _mixed(keys ^ values[places].astype(np.uint64))
    order = np.argsort(keys, kind="stable")
    places = places[order]
    file_of = np.searchsorted(np.cumsum(num_events), places, side="right")
    return EventKeys(keys[order], places, file_of, every)


def _mixed(values: np.ndarray) -> np.ndarray:
    """A bijection that spreads (splitmix64)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = values ^ (values >> np.uint64(31))
    return mixed
