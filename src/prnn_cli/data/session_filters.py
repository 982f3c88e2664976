"""The rules of section 5 that drop sessions and items, applied to arrays of their codes."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from prnn_cli.data.counting_sort import counting_argsort
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig

REPEATED, TOO_LONG = "consecutive repeats", "sessions too long"
SHORT, RARE = "sessions of one event", "items too rare"
AFTER_END = "sessions that reach dataset.test_until"
REMEDIES = {
    AFTER_END: "set a later dataset.test_until",
    REPEATED: "set dataset.drop_repeats=false",
    TOO_LONG: "raise dataset.max_session_length, or set it to null for no limit",
    SHORT: "check that dataset.columns.session_id names the column that its events share",
    RARE: "lower dataset.min_item_support",
}


@dataclass(frozen=True)
class Log:
    """The events that no rule has dropped so far, sorted by time.

    session, item: (num_events,) codes as in `Events`
    time: (num_events,) seconds since 1970, UTC
    """

    session: np.ndarray
    item: np.ndarray
    time: np.ndarray

    def __len__(self) -> int:
        return len(self.time)

    def without(self, gone: np.ndarray) -> "Log":
        """The log without the events where `gone`, (num_events,) bool, holds."""
        if not gone.any():
            return self
        first = int(gone.argmax())
        stays = ~gone[first:]  # those before are copied as they stand
        columns = (self.session, self.item, self.time)
        return Log(*(np.concatenate([each[:first], each[first:][stays]]) for each in columns))


def filter_log(log: Log, dataset: DatasetConfig, dropped: Counter[str]) -> Log:
    """Drops consecutive repeats (if the dataset says so), long sessions, sessions of one event and rare items.

    Adds the events that each rule drops to `dropped`. Lengths and supports are kept up to date as events go, so that
    a round of the last two rules costs little after the first. Raises `UserError` where nothing is left.
    """
    if dataset.drop_repeats:
        repeats = _is_repeat(log)
        dropped[REPEATED] += int(np.count_nonzero(repeats))
        log = log.without(repeats)
    limit = dataset.max_session_length
    lengths, support = np.bincount(log.session), np.bincount(log.item)
    stays = np.ones(len(log), dtype=bool)

    def drop(codes: np.ndarray, bad: np.ndarray, reason: str) -> int:
        """Drops the events whose session or item (`codes`) is bad, and returns their number."""
        nonlocal lengths, support
        gone = np.flatnonzero(bad[codes] & stays) if bad.any() else np.empty(0, dtype=np.int64)
        dropped[reason] += len(gone)
        stays[gone] = False
        lengths = lengths - np.bincount(log.session[gone], minlength=len(lengths))
        support = support - np.bincount(log.item[gone], minlength=len(support))
        return len(gone)

    if limit is not None:
        drop(log.session, lengths > limit, TOO_LONG)
    changed = True
    while changed:
        changed = bool(drop(log.session, lengths == 1, SHORT))
        rare = (support > 0) & (support < dataset.min_item_support)
        changed = bool(drop(log.item, rare, RARE)) or changed
        changed = changed and dataset.repeat_until_stable
    drop(log.session, lengths == 1, SHORT)
    if not stays.any():
        reason, count = dropped.most_common(1)[0]
        raise UserError(
            f"no events are left of the {dropped.total()} in dataset.path={dataset.path}: most of them "
            f"({count}) were dropped under the rule '{reason}'; {REMEDIES[reason]}"
        )
    return log.without(~stays)


def _is_repeat(log: Log) -> np.ndarray:
    order = counting_argsort(log.session)
    session, item = log.session[order], log.item[order]
    repeats = np.empty(len(log), dtype=bool)
    repeats[order] = (np.diff(session, prepend=-1) == 0) & (np.diff(item, prepend=-1) == 0)
    return repeats
