"""Events that stand in one file more than once: an export that was appended to itself, told from double clicks."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from prnn_cli.data.event_keys import EventKeys

MIN_SHARE, MIN_EVENTS = 0.01, 20  # of a file's events: so many copies of a block are told of
MOST = 0.5  # of a file's events: more than so many with an equal one are told of, wherever that stands
SHOWN = 3

log = logging.getLogger(__name__)


def warn_of_repeated_rows(num_events: Mapping[Path, int], events: EventKeys, judges_shares: bool) -> None:
    """Warns of files that hold a block of their events again, or in which most events have an equal one.

    num_events: of each file
    judges_shares: whether equal events are odd by themselves, as they are where times tell clicks apart
    """
    is_again = (np.diff(events.keys) == 0) & (np.diff(events.file_of) == 0)
    if not is_again.any():
        return
    files, keys = events.file_of[1:][is_again], events.keys[1:][is_again]
    distances = np.diff(events.places)[is_again]  # to the equal event before
    has_equal = np.append(is_again, False) | np.append(False, is_again)
    sizes = np.bincount(events.file_of, minlength=len(num_events))
    shares = np.bincount(events.file_of[has_equal], minlength=len(num_events)) / np.maximum(sizes, 1)
    told = []
    for number, (path, size) in enumerate(zip(num_events, sizes, strict=True)):
        if shares[number] < MIN_SHARE:
            continue
        of_file = files == number
        least = max(MIN_EVENTS, MIN_SHARE * size)
        if block := _copies(distances[of_file], keys[of_file], least, events.every):
            count, distance = block
            told.append(
                f"{path.name} repeats {count / size:.0%} of its events, {distance:,} rows below the first time, as if "
                "an export had been appended to itself: these count twice, unless dataset.drop_repeats takes them out; "
                "keep one copy"
            )
        elif judges_shares and shares[number] > MOST:
            told.append(
                f"{shares[number]:.0%} of the events of {path.name} stand there more than once (the same session, item "
                "and time): an export that was doubled, or times that are too coarse to tell clicks apart; if it is "
                "doubled, keep one copy"
            )
    if told:
        more = f"; and so do {len(told) - SHOWN} more files" if len(told) > SHOWN else ""
        log.warning("%s%s", "; ".join(told[:SHOWN]), more)


def _copies(distances: np.ndarray, keys: np.ndarray, least: float, every: int) -> tuple[int, int] | None:
    """(the number of events that are copies of a block, the distance to what they copy); None where there is no block.

    distances: of repeated events to the equal one before; keys: of these events; least: the fewest copies that count;
        every: one of so many events is here

    Who clicks twice does so after a few rows, be it this number or another. Copies of a block all stand equally far
    from what they copy, and no nearer than the block is long.
    """
    found, counts = np.unique(distances, return_counts=True)
    distance, count = int(found[counts.argmax()]), int(counts.max())
    length = len(np.unique(keys[distances == distance])) * every  # about: hence 2
    is_block = count >= least and count > MOST * len(distances) and length <= 2 * distance
    return (count, distance) if is_block else None
