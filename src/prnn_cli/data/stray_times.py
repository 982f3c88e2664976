"""Times far from all others, such as a 0 for an unknown one: their rows are bad, however well they can be read."""

import logging

import numpy as np
import pyarrow as pa

from prnn_cli.data.bad_rows import BadRows
from prnn_cli.data.formats.time_units import shown_time
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig

DAY_S = 86_400
YEAR_S = 365.25 * DAY_S
SHOWN = 3
REASON = "bad rows: time far from all others"

log = logging.getLogger(__name__)


def are_stray(times: np.ndarray, gap_years: float) -> np.ndarray:
    """Whether each time, (num_events,) in seconds since 1970, is no time of the log.

    Where more than `gap_years` pass without an event, the log falls into pieces; the one of most events is the log, of
    equal ones the latest. Another that lasts no longer than a day is stray if it is further from the log than the log
    is long, or if it is the beginning of 1970, which is what programs make of a time that they don't know.
    """
    stray = np.zeros(len(times), dtype=bool)
    gap = gap_years * YEAR_S
    if times.max() - times.min() <= gap:
        return stray
    ordered = np.sort(times)
    cuts = np.flatnonzero(np.diff(ordered) > gap) + 1
    firsts, lasts = ordered[np.append(0, cuts)], ordered[np.append(cuts, len(ordered)) - 1]
    sizes = np.diff(np.concatenate(([0], cuts, [len(ordered)])))
    largest = int(np.flatnonzero(sizes == sizes.max())[-1])
    begin, end = firsts[largest], lasts[largest]
    for piece, (first, last) in enumerate(zip(firsts, lasts, strict=True)):
        is_far = max(first - end, begin - last) > end - begin
        is_epoch = first >= -DAY_S and last <= DAY_S
        if piece != largest and last - first <= DAY_S and (is_far or is_epoch):
            stray |= (times >= first) & (times <= last)
    return stray


def without_stray_times(
    log_table: pa.Table, dataset: DatasetConfig, bad_rows: BadRows, num_rows: int
) -> pa.Table:
    """The log, whose column `time` is in seconds, without the rows of stray times, which are counted as bad.

    Raises `UserError` where bad rows then exceed `dataset.max_bad_share` of the `num_rows` that were read.
    """
    if dataset.stray_years is None:
        return log_table
    times = log_table["time"].to_numpy()
    stray = are_stray(times, dataset.stray_years)
    count = int(np.count_nonzero(stray))
    if not count:
        return log_table
    bad_rows.counts[REASON] += count
    others = times[~stray]
    shown = ", ".join(shown_time(each) for each in np.unique(times[stray])[:SHOWN])
    what = (
        f"{count:,} of {num_rows:,} rows have times (such as {shown}) far from those of the others, "
        f"{shown_time(others.min())} to {shown_time(others.max())}"
    )
    if bad_rows.counts.total() > dataset.max_bad_share * num_rows:
        raise UserError(
            f"{what}; mend them, drop them by a filter, or set dataset.stray_years=null if they are right "
            f"(dataset.max_bad_share={dataset.max_bad_share:g})"
        )
    log.warning("%s; they are left out as bad rows (dataset.stray_years=null keeps them)", what)
    return log_table.filter(pa.array(~stray))
