"""A log of sessions that a finished model is to go on with -> their clicks on the items that it knows."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from prnn_cli.data.counting_sort import counting_argsort
from prnn_cli.data.events import Events, event_blocks, events_of_block, read_events
from prnn_cli.data.item_lookup import places_of
from prnn_cli.data.log_rows import RowCounts
from prnn_cli.data.sessions import Sessions
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NewSessions:
    """Sessions that a model has not seen.

    ids: (num_sessions,) text, in the order of the log
    known: those with clicks on items that the model knows, and these clicks alone; their session_index is a place in
        `ids`
    num_unknown: clicks on items that it does not know
    """

    ids: pa.Array
    known: Sessions
    num_unknown: int

    def split(self, most: int) -> "Iterator[NewSessions]":
        """The same sessions, at most `most` at a time. Unknown clicks are counted with the first."""
        for start in range(0, len(self.ids), most):
            inside = np.searchsorted(self.known.session_index, [start, start + most])
            known = self.known.subset(np.arange(*inside))
            moved = replace(known, session_index=known.session_index - start)
            yield NewSessions(self.ids.slice(start, most), moved, 0 if start else self.num_unknown)


def one_session(clicks: Sequence[int], num_items: int, dataset: DatasetConfig) -> NewSessions:
    """A single session with these clicks, item_index each."""
    return _new_sessions(
        pa.array(["session"]), np.zeros(len(clicks), np.int32), np.array(clicks), num_items, dataset
    )


def sessions_of_lists(
    ids: Sequence[object], clicks: Sequence[Sequence[object]], items: pd.Index, dataset: DatasetConfig
) -> NewSessions:
    """Sessions that are given as lists of item ids, the latest click last; `items`: the known ids, by item_index."""
    place = np.repeat(np.arange(len(clicks)), [len(each) for each in clicks])
    item = places_of(items, (item for session in clicks for item in session))
    return _new_sessions(pa.array(map(str, ids), pa.string()), place, item, len(items), dataset)


def read_new_sessions(dataset: DatasetConfig, path: str, item_ids: np.ndarray) -> NewSessions:
    """The sessions of the log at `path`, whose rows are read and filtered as those of `dataset` were.

    What is left out of it is logged. Raises `UserError`, which names sessions=PATH, for what is no such log, and where
    none of its items is among `item_ids`, (num_items,).
    """
    with _blamed_on(path):
        events = read_events(_log_at(path, dataset))
    found = _sessions_of(events, pd.Index(item_ids), dataset)
    if not found.known.num_sessions:
        raise UserError(
            f"none of the items in sessions={path} is known to the model: they are such as {events.item_ids[0]}, and "
            f"its own, those that were clicked often enough in the log of its run, such as {item_ids[0]}"
        )
    _log_left_out(events.dropped, found.num_unknown, len(events), path)
    return found


def stream_new_sessions(dataset: DatasetConfig, path: str, item_ids: np.ndarray) -> Iterator[NewSessions]:
    """The same of a log of any size whose sessions stand one after another, block by block.

    What is left out is logged at the end. Raises `UserError`, which names sessions=PATH, for what is no such log.
    """
    counts, index = RowCounts(), pd.Index(item_ids)
    num_clicks = num_unknown = num_known_sessions = 0
    with _blamed_on(path):
        log_of_sessions = _log_at(path, dataset)
        for block in event_blocks(log_of_sessions, counts):
            found = _sessions_of(events_of_block(block, log_of_sessions), index, dataset)
            num_clicks, num_unknown = num_clicks + len(block), num_unknown + found.num_unknown
            num_known_sessions += found.known.num_sessions
            yield found
        if not num_clicks:
            raise UserError(f"dataset.path={path} holds no clicks")
    if not num_known_sessions:
        raise UserError(
            f"none of the items in sessions={path} is known to the model, which has such as {item_ids[0]}"
        )
    counts.warn_of_trimmed()
    _log_left_out(counts.dropped, num_unknown, num_clicks, path)


def _log_at(path: str, dataset: DatasetConfig) -> DatasetConfig:
    return replace(dataset, path=path, synthetic=None, profile=None, scale=None)


def _sessions_of(events: Events, items: pd.Index, dataset: DatasetConfig) -> NewSessions:
    """Events as sessions; items: the known ids, by item_index"""
    item = places_of(items, events.item_ids.to_pylist())[events.item]
    order = counting_argsort(events.session)
    present, place = np.unique(events.session[order], return_inverse=True)
    ids = events.session_ids.take(pa.array(present))
    return _new_sessions(ids, place, item[order], len(items), dataset)


def _new_sessions(
    ids: pa.Array, place: np.ndarray, item: np.ndarray, num_items: int, dataset: DatasetConfig
) -> NewSessions:
    """Events that are sorted by session; place: of its session in `ids`; item: item_index, −1 for an unknown one."""
    stays = item >= 0
    num_unknown = int(np.count_nonzero(~stays))
    if dataset.drop_repeats:
        stays[1:] &= (np.diff(item) != 0) | (np.diff(place) != 0)
    place, item = place[stays], item[stays].astype(np.int32)
    with_clicks, starts = np.unique(place, return_index=True)
    offsets = np.append(starts, len(place)).astype(np.int64)
    return NewSessions(ids, Sessions(item, offsets, with_clicks, num_items), num_unknown)


@contextmanager
def _blamed_on(path: str) -> Iterator[None]:
    """Turns errors of reading a log, which is known as dataset.path there, into such about sessions=PATH."""
    try:
        yield
    except UserError as error:
        reason = str(error).replace(f"dataset.path={path}", f"sessions={path}")
        raise UserError(
            f"sessions={path} is read with the dataset's settings of the run: {reason}; these settings stay as they "
            "are, so write it as the run's log is written"
        ) from error


def _log_left_out(dropped: Mapping[str, int], num_unknown: int, num_clicks: int, path: str) -> None:
    """Logs the rows that filters dropped (of bad ones reading has warned), and the clicks on unknown items."""
    for reason, count in dropped.items():
        if not reason.startswith("bad rows"):
            log.info("%d rows of %s are left out: %s", count, path, reason)
    if num_unknown:
        log.warning(
            "%d of %d clicks are on items that the model does not know: left out", num_unknown, num_clicks
        )
