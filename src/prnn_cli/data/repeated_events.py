"""Files of one log that hold the same events: a file beside its parts, or beside itself in another format."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from prnn_cli.data.formats.log_files import glob_of
from prnn_cli.errors import UserError

SAMPLE = 1_000_000  # events that are compared: of a larger log those of some sessions
MIN_SHARE, MIN_EVENTS = 0.01, 5  # of a file's events that also stand in another one, from which on it is said
CONTAINED = 0.5  # of a file's events: so many, and it is taken for a part of the other

log = logging.getLogger(__name__)


def check_no_repeats(num_events: Mapping[Path, int], table: pa.Table, has_sessions: bool) -> None:
    """Warns of files that share events, which then count twice; raises `UserError` for two that hold the same ones.

    num_events: of each file
    table: session_id, item_id (dictionaries) and time of all events, file by file
    has_sessions: else session_id numbers rows file after file, and single events may be equal by chance, so that files
        are only compared as a whole
    """
    if len(num_events) < 2:
        return
    files, counts = list(num_events), list(num_events.values())
    names = ("session_id", "item_id") if has_sessions else ("item_id",)
    columns = [table[name].combine_chunks().indices.to_numpy() for name in names]
    time = table["time"].to_numpy()
    every = -(-len(time) // SAMPLE)
    is_chosen = _mixed(np.arange(columns[0].max() + 1, dtype=np.uint64)) % np.uint64(every) == 0
    chosen = np.flatnonzero(is_chosen[columns[0]])
    file_of = np.searchsorted(np.cumsum(counts), chosen, side="right")
    keys, file_of = _distinct(_keys([each[chosen] for each in columns], time[chosen]), file_of)
    sizes = np.bincount(file_of, minlength=len(files))
    shared = _shared(keys, file_of)
    for (a, b), count in shared.items():
        if count == sizes[a] == sizes[b] and counts[a] == counts[b]:
            raise UserError(f"{files[a]} and {files[b]} hold the same events; leave one of them out")
    pairs = {
        pair: count
        for pair, count in shared.items()
        if count >= max(MIN_EVENTS, MIN_SHARE * min(sizes[pair[0]], sizes[pair[1]]))
    }
    if pairs and has_sessions:
        log.warning("%s", _sentence(files, sizes, pairs, every))


def _sentence(files: Sequence[Path], sizes: np.ndarray, pairs: dict[tuple[int, int], int], every: int) -> str:
    told, parts = [], set()
    for (a, b), count in sorted(pairs.items(), key=lambda each: -each[1]):
        small, large = (a, b) if sizes[a] <= sizes[b] else (b, a)
        about = "about " if every > 1 else ""
        told.append(
            f"{about}{count * every:,} events of {files[small].name} ({count / sizes[small]:.0%} of it) "
            f"also stand in {files[large].name}"
        )
        if count > CONTAINED * sizes[small]:
            parts.add(small)
    kept = [file for n, file in enumerate(files) if n not in parts]
    pattern = glob_of(kept, files) if parts else None
    advice = f"dataset.path={pattern} reads what holds the others" if pattern else "read one of them alone"
    more = f", and {len(told) - 3} more pairs" if len(told) > 3 else ""
    return f"{'; '.join(told[:3])}{more}: each counts twice; {advice}"


def _distinct(keys: np.ndarray, file_of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct events of each file, as (keys, files), sorted by key."""
    order = np.lexsort((file_of, keys))
    keys, file_of = keys[order], file_of[order]
    is_new = np.ones(len(keys), dtype=bool)
    is_new[1:] = (keys[1:] != keys[:-1]) | (file_of[1:] != file_of[:-1])
    return keys[is_new], file_of[is_new]


def _shared(keys: np.ndarray, file_of: np.ndarray) -> dict[tuple[int, int], int]:
    """(a, b), two files: the number of distinct events, sorted by key, that both hold."""
    shared: dict[tuple[int, int], int] = {}
    step = 1
    while (same := keys[step:] == keys[:-step]).any():
        pairs, counts = np.unique(
            np.stack([file_of[:-step], file_of[step:]])[:, same], axis=1, return_counts=True
        )
        for (a, b), count in zip(pairs.T.tolist(), counts.tolist(), strict=True):
            shared[a, b] = shared.get((a, b), 0) + count
        step += 1
    return shared


def _keys(codes: Sequence[np.ndarray], time: np.ndarray) -> np.ndarray:
    """(num_events,) uint64, equal for equal events, and for few others."""
    keys = _mixed(time.view(np.uint64))
    for values in codes:
        keys = _mixed(keys ^ values.astype(np.uint64))
    return keys


def _mixed(values: np.ndarray) -> np.ndarray:
    """A bijection that spreads (splitmix64)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = values ^ (values >> np.uint64(31))
    return mixed
