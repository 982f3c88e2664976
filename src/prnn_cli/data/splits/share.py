"""A share of the sessions, drawn by their ids, is the test part: for logs without times."""

import numpy as np
import pandas as pd

from prnn_cli.data.events import Events
from prnn_cli.data.parts import MOST_HELD_OUT, TEST, TRAIN, VALIDATION, Parted
from prnn_cli.data.session_filters import Log
from prnn_cli.data.splits.rule import SplitRule
from prnn_cli.schema import DatasetConfig


def share(log: Log, events: Events, dataset: DatasetConfig) -> Parted:
    """`dataset.test_share` of the sessions: those whose ids' hashes are lowest, so that a session's lot depends on its
    id alone; with `dataset.validation_days` the same share of them again is the validation part."""
    part = np.full(len(events.session_ids), TRAIN, dtype=np.int8)
    part[_hashes(events) < dataset.test_share] = TEST
    return Parted(log, with_share_held_out(part, events, dataset), events.session_ids)


def with_share_held_out(part: np.ndarray, events: Events, dataset: DatasetConfig) -> np.ndarray:
    """The parts with a share of the sessions as validation part, where `dataset.validation_days` asks for one: as large
    as `dataset.test_share`, but no more than a quarter of what is not tested."""
    if dataset.validation_days:
        hashes, begin = _hashes(events), dataset.test_share
        end = begin + min(begin, MOST_HELD_OUT * (1 - begin))
        part[(part == TRAIN) & (hashes >= begin) & (hashes < end)] = VALIDATION
    return part


def _hashes(events: Events) -> np.ndarray:
    """A number from 0 to 1 for each session id, the same in every log."""
    ids = events.session_ids.to_numpy(zero_copy_only=False).astype(object)
    hashes: np.ndarray = pd.util.hash_array(ids, categorize=False) / 2.0**64
    return hashes


def advice(part: str, dataset: DatasetConfig) -> str:
    """What brings more sessions into a part of a log that is split by lot."""
    change = "lower" if part == "train" else "raise"
    return f"{change} dataset.test_share={dataset.test_share:g}, or give a log of more sessions"


SHARE = SplitRule(
    parts=share,
    options=("test_share", "test_until"),
    decided_by=lambda dataset: "last_event",
    hold_out_days=lambda dataset: 1,
    advice=advice,
)
