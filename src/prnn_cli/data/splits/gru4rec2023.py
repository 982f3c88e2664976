"""The split of Hidasi and Czapp (RecSys 2023): training is what had happened when the first test session began."""

from collections import Counter

import numpy as np

from prnn_cli.data.events import Events
from prnn_cli.data.parts import (
    CUT_SHORT,
    DAY_S,
    TEST,
    TRAIN,
    VALIDATION,
    Parted,
    deciding_times,
    seconds,
    seconds_like_test_part,
)
from prnn_cli.data.session_filters import Log
from prnn_cli.data.splits import days
from prnn_cli.data.splits.rule import SplitRule
from prnn_cli.schema import AUTO, DatasetConfig

CUT = "events of training sessions from the next part's beginning on"


def gru4rec2023(log: Log, events: Events, dataset: DatasetConfig) -> Parted:
    """Sessions that *start* in the last `dataset.test_days` × 24 hours, or from `dataset.test_from` on, are tested.

    The others lose their events from that moment on, and go where only one is left. The validation part is cut off the
    training part in the same way. (The authors' `*_preproc.py` in hidasib/gru4rec_third_party_comparison.)
    """
    first = deciding_times(log, "first_event")
    dropped: Counter[str] = Counter()
    if dataset.test_from is not None:
        start = seconds("test_from", dataset.test_from)
    else:
        start = float(log.time[-1]) - dataset.test_days * DAY_S
    part = np.where(first >= start, TEST, TRAIN).astype(np.int8)
    log = _ended_at(start, log, part != TEST, dropped)
    if dataset.validation_days:
        start -= _hold_out_s(part, first, dataset)
        part[(first >= start) & (part == TRAIN)] = VALIDATION
        log = _ended_at(start, log, part == TRAIN, dropped)
    return Parted(log, part, events.session_ids, dropped)


def _hold_out_s(part: np.ndarray, first: np.ndarray, dataset: DatasetConfig) -> float:
    if dataset.validation_days == AUTO:
        return seconds_like_test_part(part, first)
    return float(dataset.validation_days) * DAY_S


def _ended_at(start: float, log: Log, which: np.ndarray, dropped: Counter[str]) -> Log:
    """The log in which the sessions `which`, (num_sessions,) bool, end before `start`."""
    gone = which[log.session] & (log.time >= start)
    log, number = log.without(gone), int(np.count_nonzero(gone))
    lengths = np.bincount(log.session, minlength=len(which))
    is_alone = (which & (lengths == 1))[log.session]
    dropped[CUT] += number
    dropped[CUT_SHORT] += int(np.count_nonzero(is_alone))
    return log.without(is_alone)


GRU4REC2023 = SplitRule(
    parts=gru4rec2023,
    options=("test_days", "test_from", "test_until"),
    decided_by=lambda dataset: "first_event",
    hold_out_days=days.hold_out_days,
    advice=days.advice,
)
