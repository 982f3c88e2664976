"""Events -> sessions: filter, index and split, as in section 5 of the paper."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from prnn_cli.data.events import Events
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig

DAY_S = 86_400
PARTS = ("train", "validation", "test")
REPEATED, TOO_LONG = "consecutive repeats", "sessions too long"
SHORT, RARE = "sessions of one event", "items too rare"
REMEDIES = {
    REPEATED: "set dataset.drop_repeats=false",
    TOO_LONG: "raise dataset.max_session_length, or set it to null for no limit",
    SHORT: "check that dataset.columns.session_id names the column that its events share",
    RARE: "lower dataset.min_item_support",
}


@dataclass(frozen=True)
class Sessions:
    """Sessions one after another, in the order of their first events.

    items: (num_events,) int32, item_index of each event
    offsets: (num_sessions + 1,) int64; session s holds events offsets[s]:offsets[s + 1]
    session_index: (num_sessions,) int64, the session's number in events.parquet
    """

    items: np.ndarray
    offsets: np.ndarray
    session_index: np.ndarray
    num_items: int

    @property
    def num_sessions(self) -> int:
        return len(self.offsets) - 1

    @property
    def num_events(self) -> int:
        return len(self.items)


@dataclass(frozen=True)
class SplitLog:
    """Rows in = len(events) + the sum of `dropped`.

    events: session_id, session_index, item_index, time, part (category: train, validation, test), sessions in
        the order of their first events, which session_index numbers through all parts
    items: item_index (in the order of the item_ids), item_id, support (events in the part train; 0 for an
        item of the validation part only)
    dropped: events that each rule took out
    """

    events: pd.DataFrame
    items: pd.DataFrame
    dropped: dict[str, int]


def split_sessions(events: Events, dataset: DatasetConfig) -> SplitLog:
    """Filters, splits by time and indexes; no session is split (section 5).

    Raises `UserError` where nothing is left of the log or of one of its parts.
    """
    dropped: Counter[str] = Counter()
    log = pd.DataFrame(
        {
            "session": events.frame["session_id"].cat.codes.to_numpy(dtype=np.int32),
            "item": events.frame["item_id"].cat.codes.to_numpy(dtype=np.int32),
            "time": events.frame["time"].to_numpy(),
        }
    )
    log = _filter(log, dataset, dropped)
    training, test = _split(log, _test_start(log, dataset))
    _refuse_empty("train", training, log, dataset)
    parts = {"train": training, "test": _only_known(test, training, "test", dropped)}
    if dataset.validation_days:
        train, validation = _split(training, _last_days(training, dataset.validation_days))
        parts |= {"train": train, "validation": _only_known(validation, train, "validation", dropped)}
    for name, part in parts.items():
        _refuse_empty(name, part, log, dataset)
    item_ids = _sorted_ids(events.frame["item_id"], training)
    return SplitLog(
        _indexed_events(parts, events, item_ids),
        _items(parts["train"], item_ids),
        {reason: count for reason, count in dropped.items() if count},
    )


def sessions_of(events: pd.DataFrame, part: str, num_items: int) -> Sessions:
    """The sessions of one part of `SplitLog.events`."""
    rows = events[events["part"] == part]
    session_index = rows["session_index"].to_numpy()
    starts = np.flatnonzero(np.diff(session_index, prepend=-1))
    return Sessions(
        items=rows["item_index"].to_numpy(dtype=np.int32),
        offsets=np.append(starts, len(rows)).astype(np.int64),
        session_index=session_index[starts].astype(np.int64),
        num_items=num_items,
    )


# `log` below: session, item (codes), time of each event that is still in, sorted by time; its index is the
# place in the whole log, so that parts put together can be brought into order again.


def _filter(log: pd.DataFrame, dataset: DatasetConfig, dropped: Counter[str]) -> pd.DataFrame:
    if dataset.drop_repeats:
        log = _keep(log, ~_is_repeat(log), REPEATED, dropped)
    if dataset.max_session_length is not None:
        log = _keep(log, _counts(log["session"]) <= dataset.max_session_length, TOO_LONG, dropped)
    stable = False
    while not stable:
        before = len(log)
        log = _drop_short(log, SHORT, dropped)
        log = _keep(log, _counts(log["item"]) >= dataset.min_item_support, RARE, dropped)
        stable = len(log) == before or not dataset.repeat_until_stable
    log = _drop_short(log, SHORT, dropped)
    if log.empty:
        reason, count = dropped.most_common(1)[0]
        raise UserError(
            f"no events are left of the {dropped.total()} in dataset.path={dataset.path}: most of them "
            f"({count}) were dropped under the rule '{reason}'; {REMEDIES[reason]}"
        )
    return log


def _keep(log: pd.DataFrame, mask: np.ndarray, reason: str, dropped: Counter[str]) -> pd.DataFrame:
    dropped[reason] += int((~mask).sum())
    return log[mask]


def _drop_short(log: pd.DataFrame, reason: str, dropped: Counter[str]) -> pd.DataFrame:
    return _keep(log, _counts(log["session"]) > 1, reason, dropped)


def _counts(codes: pd.Series) -> np.ndarray:
    """For each event, the number of events that share its code."""
    return np.bincount(codes)[codes]


def _is_repeat(log: pd.DataFrame) -> np.ndarray:
    previous = log.groupby("session", sort=False)["item"].shift(fill_value=-1)
    return (log["item"] == previous).to_numpy()


def _test_start(log: pd.DataFrame, dataset: DatasetConfig) -> float:
    if dataset.test_from is None:
        return _last_days(log, dataset.test_days)
    try:
        start = datetime.fromisoformat(dataset.test_from)
    except ValueError as error:
        raise UserError(
            f"dataset.test_from={dataset.test_from} is no date; write it as 2011-02-22"
        ) from error
    return (start if start.tzinfo else start.replace(tzinfo=UTC)).timestamp()


def _last_days(log: pd.DataFrame, num_days: int) -> float:
    """Midnight (UTC) at which the last `num_days` calendar days of the log begin."""
    last_day = log["time"].max() // DAY_S
    return float((last_day - (num_days - 1)) * DAY_S)


def _split(log: pd.DataFrame, start: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sessions whose last event is before `start`, and the others."""
    ends = np.empty(log["session"].max() + 1)
    ends[log["session"]] = log["time"]  # of several values for one place the last one stays
    late = ends[log["session"]] >= start
    return log[~late], log[late]


def _only_known(part: pd.DataFrame, training: pd.DataFrame, name: str, dropped: Counter[str]) -> pd.DataFrame:
    known = part["item"].isin(training["item"].unique()).to_numpy()
    part = _keep(part, known, f"{name}: items unknown in training", dropped)
    return _drop_short(part, f"{name}: sessions of one event", dropped)


def _refuse_empty(name: str, part: pd.DataFrame, log: pd.DataFrame, dataset: DatasetConfig) -> None:
    if not part.empty:
        return
    remedy = {
        "train": "lower dataset.test_days or dataset.validation_days, or set a later dataset.test_from",
        "validation": "raise dataset.validation_days",
        "test": "raise dataset.test_days, or set an earlier dataset.test_from",
    }[name]
    first, last = (
        f"{datetime.fromtimestamp(t, UTC):%Y-%m-%d}" for t in (log["time"].min(), log["time"].max())
    )
    raise UserError(
        f"no session is left for the part {name} of a log that lasts from {first} to {last} (UTC) with "
        f"dataset.test_days={dataset.test_days}, test_from={dataset.test_from} and "
        f"validation_days={dataset.validation_days}; {remedy}"
    )


def _sorted_ids(item_id: pd.Series, training: pd.DataFrame) -> pd.Series:
    """item_ids of the training part in sorted order, by their codes."""
    codes = np.sort(training["item"].unique())
    return pd.Series(item_id.cat.categories[codes], index=codes).sort_values()


def _items(train: pd.DataFrame, item_ids: pd.Series) -> pd.DataFrame:
    support = np.bincount(train["item"], minlength=item_ids.index.max() + 1)[item_ids.index]
    return pd.DataFrame(
        {
            "item_index": np.arange(len(item_ids), dtype=np.int32),
            "item_id": item_ids.to_numpy(),
            "support": support,
        }
    )


def _indexed_events(parts: dict[str, pd.DataFrame], events: Events, item_ids: pd.Series) -> pd.DataFrame:
    log = pd.concat([part.assign(part=PARTS.index(name)) for name, part in parts.items()]).sort_index()
    log["session"], _ = pd.factorize(log["session"])  # numbers sessions by their first events
    log = log.sort_values("session", kind="stable")
    item_index = np.empty(item_ids.index.max() + 1, dtype=np.int32)
    item_index[item_ids.index] = np.arange(len(item_ids))
    return pd.DataFrame(
        {
            "session_id": events.frame["session_id"].array[log.index],
            "session_index": log["session"].to_numpy(dtype=np.int64),
            "item_index": item_index[log["item"]],
            "time": log["time"].to_numpy(),
            "part": pd.Categorical.from_codes(log["part"].to_numpy(), pd.Index(PARTS)),
        }
    )
