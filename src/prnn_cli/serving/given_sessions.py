"""Sessions as Python gives them: lists of item ids, a dict of them by session, or a data frame of clicks."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any

import pandas as pd

from prnn_cli.errors import UserError

GivenSessions = Sequence[Sequence[Any]] | Mapping[Any, Sequence[Any]] | pd.DataFrame

EXAMPLE = "[['a', 'b'], ['c']], {'session': ['a', 'b']}, or a data frame with session_id and item_id"


def keys_and_clicks(sessions: GivenSessions) -> tuple[list[Any], list[Sequence[Any]]]:
    """The sessions' keys, and the item ids that each has clicked, the latest last.

    A list's sessions are numbered from 0. A data frame has a row for each click: session_id, item_id, and, unless the
    rows of a session are in order, time. Raises `UserError` for anything else.
    """
    if isinstance(sessions, pd.DataFrame):
        return _of_frame(sessions)
    if isinstance(sessions, Mapping):
        keys, clicks = list(sessions), list(sessions.values())
    elif isinstance(sessions, Sequence) and not isinstance(sessions, str | bytes):
        keys, clicks = list(range(len(sessions))), list(sessions)
    else:
        raise UserError(f"sessions are {type(sessions).__name__}; give {EXAMPLE}")
    for key, each in zip(keys, clicks, strict=True):
        if isinstance(each, str | bytes | Mapping | AbstractSet) or not isinstance(each, Iterable):
            raise UserError(f"session {key} is {each!r}, not a list of item ids; give {EXAMPLE}")
    lists: list[Sequence[Any]] = [list(each) for each in clicks]
    for key, items in zip(keys, lists, strict=True):
        if nested := next((item for item in items if isinstance(item, Mapping | list | tuple)), None):
            raise UserError(f"session {key} holds {nested!r}, which is no item id; give {EXAMPLE}")
    return keys, lists


def blocks_of(sessions: Iterator[Sequence[Any]], size: int) -> Iterator[dict[int, Sequence[Any]]]:
    """An iterator's sessions, `size` at a time, numbered from 0 through all of them."""
    number = 0
    while block := list(islice(sessions, size)):
        yield dict(enumerate(block, start=number))
        number += len(block)


def _of_frame(frame: pd.DataFrame) -> tuple[list[Any], list[Sequence[Any]]]:
    if missing := {"session_id", "item_id"} - set(frame.columns):
        raise UserError(
            f"a data frame of clicks has the columns session_id and item_id (and time); "
            f"{', '.join(sorted(missing))} is not among {', '.join(map(str, frame.columns))}; rename them"
        )
    if empty := [name for name in ("session_id", "item_id") if frame[name].isna().any()]:
        raise UserError(f"{empty[0]} is empty in some rows; drop them")
    if "time" in frame.columns:
        kind = frame["time"].dtype
        if not (pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_datetime64_any_dtype(kind)):
            raise UserError(
                "time is text, which does not sort as time does; make it times: pd.to_datetime(frame.time)"
            )
        if frame["time"].isna().any():
            raise UserError(
                "time is empty in some rows; drop them, or leave the column out where rows are in order"
            )
        frame = frame.sort_values("time", kind="stable")
    grouped = frame.groupby("session_id", sort=False)["item_id"].agg(list)
    return list(grouped.index), list(grouped)
