"""Figures of a prepared log on which conclusions hang: order, repeats, rare targets, single steps, drift.

A target is an event of the test part that is ranked. What the test part shows beside the end of training is also
counted a window earlier, of the last training sessions beside those before them, which tells what is usual on this log.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from prnn_cli.data.counting_sort import counting_argsort
from prnn_cli.data.parts import unknown_in_training
from prnn_cli.data.prepare import PreparedData
from prnn_cli.data.sessions import Sessions

FEW_EVENTS = 20  # in training: a target's item of fewer is rare
LATEST = 0.99  # of the training sessions begin before the middle one of a test part that comes later


@dataclass(frozen=True)
class Change:
    """How a window of sessions differs from the window before it; shares of its events, but for `distance`.

    new: on items that have no events before the window
    absent: of the others, on items without events in the window before
    late: of the others, on items whose events before all lie in the window before
    distance: total variation between the distributions of items in both windows, new ones left out: the share of events
        that would have to move to other items for one distribution to become the other
    """

    new: float
    absent: float
    late: float
    distance: float


@dataclass(frozen=True)
class Drift:
    """The change from the last training sessions to the test part.

    sessions: in each window
    test: the first test sessions beside the last training sessions
    earlier: the latter beside those before them, counted as `test` is
    chance: the distance of `test` if nothing changed: the sessions of both windows dealt alternately into two
    """

    sessions: int
    test: Change
    earlier: Change
    chance: float


@dataclass(frozen=True)
class Diagnostics:
    """Shares, 0 to 1.

    ranks_last_only: of each test session the last event alone is a target, and the others also stand in training
    tied: events, of all parts, with the time of another event of their session, each counted once; None where the log
        has no times
    repeated: likewise, events with the time and the item of another event of their session
    same_as_last: targets on the item of the event before
    in_session: targets on an item that occurred in their session before
    rare: targets on items of fewer than FEW_EVENTS events in training
    unseen: targets on items of none
    dropped: events of the test part, those on items unknown in training included, that were left out as such; of last
        events where these alone are ranked
    chain: targets that are, alone, the most frequent successor of the event before in training: recall@1 of a
        first-order Markov chain, ties against it
    new_steps: targets that never came right after the event before in training
    is_later: whether the test part comes after training; None where the log has no times
    drift: None unless it does, and where a window would be empty, or holds new items alone
    """

    ranks_last_only: bool
    tied: float | None
    repeated: float | None
    same_as_last: float
    in_session: float
    rare: float
    unseen: float
    dropped: float
    chain: float
    new_steps: float
    is_later: bool | None
    drift: Drift | None


def diagnose(data: PreparedData) -> Diagnostics:
    """Counts the figures, in the time of a few sorts of the log, its times read a block at a time."""
    has_times = data.summary["first"] != data.summary["last"]
    is_later = _is_later(data.train, data.test) if has_times else None
    last, target = _steps(data.test)
    chain, new_steps = _chain_shares(data.train, last, target)
    unknown = data.summary["dropped"].get(unknown_in_training("test"), 0)
    tied, repeated = None, None
    if has_times:
        tied, repeated = tied_and_repeated(data.folder / "events.parquet", data.test.ranks_last_only)
    kept = data.test.num_ranked if data.test.ranks_last_only else data.test.num_events
    return Diagnostics(
        ranks_last_only=data.test.ranks_last_only,
        tied=tied,
        repeated=repeated,
        same_as_last=_share(last == target),
        in_session=_in_session_share(data.test),
        rare=_share(data.support[target] < FEW_EVENTS),
        unseen=_share(data.support[target] == 0),
        dropped=unknown / (unknown + kept),
        chain=chain,
        new_steps=new_steps,
        is_later=is_later,
        drift=_drift(data.train, data.test) if is_later else None,
    )


def tied_and_repeated(events: Path, of_test_alone: bool = False) -> tuple[float, float]:
    """The share of the events in an events.parquet that have the time of another of their session, and the share of
    those that have its item, too.

    of_test_alone: where test sessions hold the events of training sessions, so that each counts once
    """
    total = tied = repeated = 0
    for sessions, times, items in _whole_sessions(events, of_test_alone):
        begins = np.append(True, (sessions[1:] != sessions[:-1]) | (times[1:] != times[:-1]))
        is_tied = ~(begins & np.append(begins[1:], True))
        keys = np.cumsum(begins)[is_tied] << 32 | items[is_tied]
        keys.sort()
        is_equal = keys[1:] == keys[:-1]
        total += len(times)
        tied += len(keys)
        repeated += int(np.count_nonzero(np.append(is_equal, False) | np.append(False, is_equal)))
    return tied / total, repeated / total


def _whole_sessions(events: Path, of_test_alone: bool) -> Iterator[list[np.ndarray]]:
    """Yields (session_index, time, item_index) of some sessions of an events.parquet at a time, as arrays."""
    names = ["session_index", "time", "item_index"]
    rest = [np.empty(0, dtype) for dtype in (np.int64, np.float64, np.int64)]  # a session that may go on
    for block in pq.ParquetFile(events).iter_batches(columns=[*names, *(["part"] if of_test_alone else [])]):
        if of_test_alone:
            block = block.filter(pc.equal(block["part"], "test"))
        if not len(block):
            continue
        columns = [np.append(old, block[name].to_numpy()) for old, name in zip(rest, names, strict=True)]
        end = int(np.searchsorted(columns[0], columns[0][-1]))
        if end:
            yield [column[:end] for column in columns]
        rest = [column[end:] for column in columns]
    yield rest


def _steps(sessions: Sessions) -> tuple[np.ndarray, np.ndarray]:
    """The item of each ranked event, and of the event before it, as (before, ranked)."""
    is_ranked = sessions.is_ranked
    return sessions.items[:-1][is_ranked[1:]], sessions.items[is_ranked]


def _in_session_share(sessions: Sessions) -> float:
    order = counting_argsort(sessions.items)  # stable: of an item's events, those of a session stand together
    session = np.repeat(np.arange(sessions.num_sessions, dtype=np.int32), np.diff(sessions.offsets))[order]
    is_again = np.zeros(sessions.num_events, dtype=bool)
    is_again[order[1:]] = (np.diff(sessions.items[order]) == 0) & (np.diff(session) == 0)
    return _share(is_again[sessions.is_ranked])


def _chain_shares(train: Sessions, last: np.ndarray, target: np.ndarray) -> tuple[float, float]:
    """`Diagnostics.chain` and `Diagnostics.new_steps` of the test steps `last` -> `target`."""
    asked = np.zeros(train.num_items, dtype=bool)
    asked[last] = True
    before, after = _steps(train)
    of_use = asked[before]
    steps = _keys(before[of_use], after[of_use], train.num_items)
    steps.sort()
    starts = np.flatnonzero(np.diff(steps, prepend=-1))
    counts = np.diff(starts, append=len(steps))
    steps = steps[starts]
    wanted = np.sort(_keys(last, target, train.num_items))
    top = _lone_maxima(steps // train.num_items, counts)
    return _share(_is_among(wanted, steps[top])), _share(~_is_among(wanted, steps))


def _keys(before: np.ndarray, after: np.ndarray, num_items: int) -> np.ndarray:
    keys: np.ndarray = before.astype(np.int64) * num_items + after
    return keys


def _lone_maxima(groups: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The places of the values that are the largest of their group and equal no other of it; groups: sorted."""
    if not len(groups):
        return np.empty(0, dtype=np.int64)
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    sizes = np.diff(starts, append=len(groups))
    is_top = values == np.repeat(np.maximum.reduceat(values, starts), sizes)
    return np.flatnonzero(is_top & np.repeat(np.add.reduceat(is_top, starts, dtype=np.int64) == 1, sizes))


def _is_among(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Whether each value is one of `known`, which rise."""
    if not len(known):
        return np.zeros(len(values), dtype=bool)
    place = np.minimum(np.searchsorted(known, values), len(known) - 1)
    found: np.ndarray = known[place] == values
    return found


def _is_later(train: Sessions, test: Sessions) -> bool:
    """Whether the test sessions begin after training, as session_index tells; with a random split they do not."""
    return bool(np.median(test.session_index) > np.quantile(train.session_index, LATEST))


def _drift(train: Sessions, test: Sessions) -> Drift | None:
    """Windows are of equally many sessions, so that chance has as much part in one distance as in the other."""
    size, end = min(test.num_sessions, train.num_sessions // 2), train.num_sessions
    if not size:
        return None
    of_test, last, before = (
        part.subset(np.arange(stop - size, stop))
        for part, stop in ((test, size), (train, end), (train, end - size))
    )
    in_training = np.bincount(train.items, minlength=train.num_items)
    earlier = _change(last, before, in_training - np.bincount(last.items, minlength=train.num_items))
    change = _change(of_test, last, in_training)
    if earlier is None or change is None:
        return None
    return Drift(size, change, earlier, _chance(of_test, last, in_training))


def _change(window: Sessions, before: Sessions, known: np.ndarray) -> Change | None:
    """known: (num_items,) events before `window`, those of the window `before` it included. None where all is new."""
    events = window.items[known[window.items] > 0]
    if not len(events):
        return None
    counts_before = np.bincount(before.items, minlength=window.num_items)
    in_before = counts_before[events]
    return Change(
        new=1 - len(events) / window.num_events,
        absent=float((in_before == 0).mean()),
        late=float((in_before == known[events]).mean()),
        distance=_total_variation(np.bincount(events, minlength=window.num_items), counts_before),
    )


def _chance(window: Sessions, before: Sessions, known: np.ndarray) -> float:
    """`Drift.chance`. Neither half is empty, as all of `before` is known, and something of `window`."""
    halves = np.zeros((2, window.num_items), dtype=np.int64)
    for sessions, first in ((before, 0), (window, before.num_sessions)):
        half = np.repeat((first + np.arange(sessions.num_sessions)) % 2, np.diff(sessions.offsets))
        for n in (0, 1):
            halves[n] += np.bincount(sessions.items[half == n], minlength=window.num_items)
    return _total_variation(*(halves * (known > 0)))


def _total_variation(a: np.ndarray, b: np.ndarray) -> float:
    """Between the distributions of two arrays of counts, 0 to 1."""
    return float(np.abs(a / a.sum() - b / b.sum()).sum() / 2)


def _share(chosen: np.ndarray) -> float:
    return float(chosen.mean())
