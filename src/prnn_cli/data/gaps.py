"""Cuts what a user did into sessions, wherever nothing happened for a while."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from prnn_cli.data.events import Events, read_events
from prnn_cli.data.session_filters import grouped
from prnn_cli.schema import DatasetConfig


def read_sessions(dataset: DatasetConfig) -> Events:
    """The events of a log; where it holds users (`dataset.session_gap_s`), these are cut into sessions."""
    events = read_events(dataset)
    return events if dataset.session_gap_s is None else cut_at_gaps(events, dataset.session_gap_s)


def cut_at_gaps(events: Events, gap_s: float) -> Events:
    """Sessions USER#1, USER#2, …: one begins where the user's last event is more than `gap_s` seconds ago."""
    order = grouped(events.session)
    user, time = events.session[order], events.time[order]
    is_new_user = np.diff(user, prepend=-1) != 0
    begins = is_new_user | (np.diff(time, prepend=0) > gap_s)
    session = np.empty(len(order), dtype=np.int32)
    session[order] = np.cumsum(begins) - 1
    users = user[begins]
    first = np.flatnonzero(is_new_user[begins])
    number = np.arange(len(users)) - np.repeat(first, np.diff(first, append=len(users))) + 1
    names = pc.binary_join_element_wise(
        events.session_ids.take(pa.array(users)), pa.array(number).cast(pa.string()), "#"
    )
    return replace(events, session=session, session_ids=names)
