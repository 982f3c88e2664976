"""Files of one log that hold the same events: a file beside its parts, or beside itself in another format."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from prnn_cli.data.event_keys import EventKeys
from prnn_cli.data.formats.log_files import glob_of
from prnn_cli.errors import UserError

MIN_SHARE, MIN_EVENTS = 0.01, 5  # of a file's events that also stand in another one, from which on it is said
CONTAINED = 0.5  # of a file's events: so many, and it is taken for a part of the other

log = logging.getLogger(__name__)


def check_no_repeats(num_events: Mapping[Path, int], events: EventKeys, has_sessions: bool) -> None:
    """Warns of files that share events, which then count twice; raises `UserError` for two that hold the same ones.

    num_events: of each file
    has_sessions: else single events may be equal by chance, so that files are only compared as a whole
    """
    files, counts, every = list(num_events), list(num_events.values()), events.every
    if len(files) < 2:
        return
    keys, file_of = _distinct(events)
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


def _distinct(events: EventKeys) -> tuple[np.ndarray, np.ndarray]:
    """The distinct events of each file, as (keys, files), sorted by key."""
    is_new = (np.diff(events.keys) != 0) | (np.diff(events.file_of) != 0)
    is_new = np.append(True, is_new)
    return events.keys[is_new], events.file_of[is_new]


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
