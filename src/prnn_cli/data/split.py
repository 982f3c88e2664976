"""Events -> sessions of a training, a validation and a test part: filter, split by time, index (section 5)."""

import dataclasses
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from prnn_cli.data.counting_sort import counting_argsort
from prnn_cli.data.events import Events
from prnn_cli.data.formats.time_units import LIKELY_FROM, shown_time, unit_advice
from prnn_cli.data.parts import PARTS, TEST, TRAIN, VALIDATION, Parted, is_after_end, unknown_in_training
from prnn_cli.data.session_filters import AFTER_END, Log, filter_log
from prnn_cli.data.splits.rules import SPLITS
from prnn_cli.errors import SmallPartError, UserError
from prnn_cli.schema import DatasetConfig


@dataclass(frozen=True)
class SplitLog:
    """A filtered log, split by time. Each event that came in is in `events` or is counted in `dropped`.

    events: session_index, item_index, time, part (category: train, validation, test), sessions in the order of
        their first events, which session_index numbers through all parts
    session_ids: by session_index
    items: item_index (in the order of the item_ids), item_id, support (events in the part train; 0 for an
        item of the validation part only)
    dropped: events that each rule took out
    ranks_last_only: as in `Parted`
    """

    events: pd.DataFrame
    session_ids: pa.Array
    items: pd.DataFrame
    dropped: dict[str, int]
    ranks_last_only: bool = False


def split_sessions(events: Events, dataset: DatasetConfig) -> SplitLog:
    """Filters a log, splits its sessions by `dataset.split`, and numbers sessions and items (section 5).

    Items that the training part does not hold are dropped from the other parts, as no model can know them, unless
    `dataset.keep_new_items` keeps those of the test part; `dataset.cold_items` makes some of its items such.

    Raises `UserError` where nothing is left of the log or of one of its parts.
    """
    dropped: Counter[str] = Counter()
    filtered = filter_log(_until_the_end(events, dataset, dropped), dataset, dropped)
    parted = SPLITS[dataset.split].parts(filtered, events, dataset)
    dropped += parted.dropped
    whole, part = parted.log, parted.part
    kept = _items_of(whole, part != TEST)
    _check_not_empty("train", bool(kept.any()), filtered, dataset)
    cold = kept & _is_cold(events.item_ids, len(kept), dataset.cold_items)
    if dataset.keep_new_items:
        kept |= _items_of(whole, part == TEST)
    log = _only_known(_without_cold(whole, part, cold, dropped), parted, TEST, kept, dropped)
    if dataset.validation_days:
        log = _only_known(log, parted, VALIDATION, _items_of(log, part == TRAIN), dropped)
    sizes = np.bincount(part[log.session], minlength=len(PARTS))
    for code, name in enumerate(PARTS):
        if code != VALIDATION or dataset.validation_days:
            _check_not_empty(name, bool(sizes[code]), filtered, dataset)
    items = _items(log, part, np.flatnonzero(kept), events.item_ids)
    indexed, session_ids = _indexed_events(log, part, items["code"].to_numpy(), parted.session_ids)
    return SplitLog(
        indexed,
        session_ids,
        items.drop(columns="code"),
        {reason: count for reason, count in dropped.items() if count},
        parted.ranks_last_only,
    )


def _until_the_end(events: Events, dataset: DatasetConfig, dropped: Counter[str]) -> Log:
    """The log without the sessions that `dataset.test_until` leaves out."""
    log = Log(events.session, events.item, events.time)
    gone = is_after_end(log, dataset)
    dropped[AFTER_END] += int(np.count_nonzero(gone))
    if gone.all():
        raise UserError(
            f"every session of dataset.path={dataset.path} reaches dataset.test_until={dataset.test_until}; the log "
            f"lasts from {shown_time(log.time[0])} to {shown_time(log.time[-1])} (UTC), set a later end"
        )
    return log.without(gone)


def _items_of(log: Log, is_chosen: np.ndarray) -> np.ndarray:
    """Whether each item (by code) occurs in the chosen sessions (by code)."""
    occurs = np.zeros(int(log.item.max(initial=-1)) + 1, dtype=bool)
    occurs[log.item[is_chosen[log.session]]] = True
    return occurs


def _is_cold(item_ids: pa.Array, number: int, share: float) -> np.ndarray:
    """Whether each of the first `number` items is held out of training: those whose ids' hashes are lowest, so that an
    item's lot depends on its id alone."""
    if not share:
        return np.zeros(number, dtype=bool)
    hashes = pd.util.hash_array(item_ids.slice(0, number).to_numpy(zero_copy_only=False).astype(object))
    cold: np.ndarray = hashes < np.uint64(share * 2**64)
    return cold


def _without_cold(log: Log, part: np.ndarray, cold: np.ndarray, dropped: Counter[str]) -> Log:
    """The log without the events of cold items before the test part, and what is then left of sessions there."""
    if not cold.any():
        return log
    before = part[log.session] != TEST
    is_cold = before & cold[log.item]
    left = np.bincount(log.session[before & ~is_cold], minlength=len(part))
    is_alone = before & ~is_cold & (left == 1)[log.session]
    dropped["before the test part: held-out items"] += int(np.count_nonzero(is_cold))
    dropped["before the test part: sessions of one event without them"] += int(np.count_nonzero(is_alone))
    return log.without(is_cold | is_alone)


def _only_known(log: Log, parted: Parted, code: int, known: np.ndarray, dropped: Counter[str]) -> Log:
    part = parted.part
    rows = np.flatnonzero(part[log.session] == code)
    session, is_known = log.session[rows], known[log.item[rows]]
    counts = np.ones(len(rows), dtype=bool)
    # Without its last event, nothing of a session is ranked; its others are counted in train.
    if parted.ranks_last_only:
        last = np.zeros(len(part), dtype=np.int64)
        last[session] = np.arange(len(rows))
        counts = last[session] == np.arange(len(rows))
        is_known &= is_known[last[session]]
    is_alone = is_known & (np.bincount(session[is_known], minlength=len(part)) == 1)[session]
    dropped[unknown_in_training(PARTS[code])] += int(np.count_nonzero(counts & ~is_known))
    dropped[f"{PARTS[code]}: sessions of one event"] += int(np.count_nonzero(counts & is_alone))
    gone = np.zeros(len(log), dtype=bool)
    gone[rows[~is_known | is_alone]] = True
    return log.without(gone)


def _check_not_empty(part: str, has_events: bool, log: Log, dataset: DatasetConfig) -> None:
    if has_events:
        return
    first, last = log.time[0], log.time[-1]
    rule = SPLITS[dataset.split]
    advice = unit_advice(first, last, dataset.time_format) or rule.advice(part, dataset) + _doubt(last)
    raise SmallPartError(
        f"no session is left for the part {part} of a log that lasts from {shown_time(first)} to {shown_time(last)} "
        f"(UTC) with dataset.{', '.join(_limits(dataset))}; {advice}",
        part,
    )


def _limits(dataset: DatasetConfig) -> list[str]:
    """The options that decide the parts, as "test_days=1"."""
    if dataset.split == "window":
        found = [f"window.{key}={value}" for key, value in dataclasses.asdict(dataset.window).items()]
        return found + ([f"validation_days={dataset.validation_days}"] if dataset.validation_days else [])
    usual = {"split": "days", "days": "calendar", "test_by": "last_event"}
    shown = {
        name: getattr(dataset, name) for name in ("split", *SPLITS[dataset.split].options, "validation_days")
    }
    return [f"{name}={value}" for name, value in shown.items() if value not in (None, 0, usual.get(name))]


def _doubt(last: float) -> str:
    """What to look at where a log ends before there were any such logs; its times may well be relative ones."""
    return (
        "; if these dates are wrong, check dataset.columns.time and time_format" if last < LIKELY_FROM else ""
    )


def _items(log: Log, part: np.ndarray, codes: np.ndarray, item_ids: pa.Array) -> pd.DataFrame:
    """Columns code, item_index, item_id and support of the items with these codes, in the order of the ids."""
    ids = item_ids.take(pa.array(codes)).to_pandas()
    order = ids.argsort().to_numpy()
    support = np.bincount(log.item[part[log.session] == TRAIN], minlength=codes.max() + 1)
    return pd.DataFrame(
        {
            "code": codes[order],
            "item_index": np.arange(len(codes), dtype=np.int32),
            "item_id": ids.to_numpy(dtype=object)[order],
            "support": support[codes[order]],
        }
    )


def _indexed_events(
    log: Log, part: np.ndarray, item_codes: np.ndarray, session_ids: pa.Array
) -> tuple[pd.DataFrame, pa.Array]:
    """The events of `SplitLog`, and the ids of the sessions by session_index."""
    first = np.full(len(part), len(log), dtype=np.int32)
    first[log.session[::-1]] = np.arange(len(log) - 1, -1, -1, dtype=np.int32)  # the last value stays
    codes = np.argsort(first)[: np.count_nonzero(first < len(log))]
    session_index = np.empty(len(part), dtype=np.int32)
    session_index[codes] = np.arange(len(codes), dtype=np.int32)
    item_index = np.empty(item_codes.max() + 1, dtype=np.int32)
    item_index[item_codes] = np.arange(len(item_codes), dtype=np.int32)

    session = session_index[log.session]
    order = counting_argsort(session)
    session = session[order]
    events = pd.DataFrame(
        {
            "session_index": session.astype(np.int64),
            "item_index": item_index[log.item[order]],
            "time": log.time[order],
            "part": pd.Categorical.from_codes(part[codes][session], pd.Index(PARTS)),
        },
        copy=False,
    )
    return events, session_ids.take(pa.array(codes))
