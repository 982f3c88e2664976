"""Blocks of sessions for a generated log of the paper's size: how many, how long, when, and the popularity of items.

Lengths and starts are stratified: of n sessions each takes one n-th of the distribution. Tables of a small scale are
thus as close to the expected sizes as those of the full one.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import pyarrow as pa

from prnn_cli.data.synthetic.click_model import DAY_S, END, HOURS, ClickModel, elapsed_s
from prnn_cli.schema import PartSizeConfig, ProfileConfig

SESSIONS_A_BLOCK = 100_000
LENGTH_SIGMA = 1.1  # of the lognormal that is added to the two clicks of every session
MAX_SESSION_LENGTH = 200

HOUR_BOUNDS = np.append(0.0, np.cumsum(HOURS))  # shares of a day's sessions up to each hour


@dataclass(frozen=True)
class SessionBlock:
    """Consecutive sessions of a part, in the order of their first clicks.

    first_session: the number of the first of them in the log
    mean_length: events a session
    start: seconds, midnight of the first day of the part; num_days: the days over which its sessions start
    quantiles: the part's sessions that start before the block, and up to its end, as shares
    """

    first_session: int
    num_sessions: int
    mean_length: float
    start: int
    num_days: int
    quantiles: tuple[float, float]


def session_blocks(config: ProfileConfig, scale: float) -> list[SessionBlock]:
    """The blocks of the training days, then those of the last day, the test part."""
    last_day = END - DAY_S
    training_days = config.num_days - 1
    training = _blocks_of(config.train, config, scale, 1, last_day - training_days * DAY_S, training_days)
    next_session = training[-1].first_session + training[-1].num_sessions
    return training + _blocks_of(config.test, config, scale, next_session, last_day, 1)


def draw_events(rng: np.random.Generator, clicks: ClickModel, block: SessionBlock) -> pa.Table:
    """Draws the columns session_id, item_id and time of a block, all int32, in the order of time."""
    lengths = rng.permutation(session_lengths(_strata(rng, block.num_sessions), block.mean_length))
    elapsed = elapsed_s(rng, lengths)
    # an event after the last midnight would make a day of its own, and that day the test part
    starts = np.minimum(_starts(rng, block), END - 1 - elapsed[np.cumsum(lengths) - 1])
    items = clicks.draw(rng, lengths)
    times = np.repeat(starts, lengths) + elapsed
    sessions = np.repeat(block.first_session + np.arange(block.num_sessions), lengths)
    order = np.argsort(times, kind="stable")
    columns = {"session_id": sessions, "item_id": items, "time": times}
    return pa.table({name: column[order].astype(np.int32) for name, column in columns.items()})


def popularity_of_ranks(num_items: int, exponent: float, shift: float) -> np.ndarray:
    """The popularity of the ranks r from 1, (num_items,) of sum 1, by a Zipf-Mandelbrot law.

    It is the mass of (x + shift)^-exponent between (r − 1) / num_items and r / num_items: integrals and not values at
    the ranks, so that a part of the items has the same share at every scale.
    """
    x = np.arange(num_items + 1) / num_items + shift
    total: np.ndarray = np.log(x) if exponent == 1 else x ** (1 - exponent) / (1 - exponent)
    mass: np.ndarray = np.diff(total) / (total[-1] - total[0])
    return mass


def session_lengths(quantiles: np.ndarray, mean: float) -> np.ndarray:
    """Lengths (int64, from 2) at these quantiles (0…1) of the distribution with this mean."""
    from scipy.special import ndtri  # takes half a second, which no other log should wait for

    longer = np.exp(_log_median(mean) + LENGTH_SIGMA * ndtri(quantiles))
    lengths: np.ndarray = np.minimum(2 + longer, MAX_SESSION_LENGTH).astype(np.int64)
    return lengths


@cache
def _log_median(mean: float) -> float:
    """The log of the median number of clicks beyond the first two, for a mean number of all clicks."""
    from scipy.optimize import brentq
    from scipy.special import ndtri

    grid = LENGTH_SIGMA * ndtri((np.arange(200_000) + 0.5) / 200_000)

    def excess(log_median: float) -> float:
        longer = np.floor(np.exp(log_median + grid))
        return float(2 + np.minimum(longer, MAX_SESSION_LENGTH - 2).mean() - mean)

    return float(brentq(excess, -10, 6))


def _blocks_of(
    part: PartSizeConfig, config: ProfileConfig, scale: float, first: int, start: int, num_days: int
) -> list[SessionBlock]:
    raw_sessions = part.sessions * (1 + config.surplus.sessions)
    total = max(1, round(raw_sessions * scale))
    mean_length = part.events * (1 + config.surplus.events) / raw_sessions
    bounds = [*range(0, total, SESSIONS_A_BLOCK), total]
    return [
        SessionBlock(first + low, high - low, mean_length, start, num_days, (low / total, high / total))
        for low, high in pairwise(bounds)
    ]


def _starts(rng: np.random.Generator, block: SessionBlock) -> np.ndarray:
    low, high = block.quantiles
    days = (low + (high - low) * _strata(rng, block.num_sessions)) * block.num_days
    second_of_day = np.interp(days % 1, HOUR_BOUNDS, np.arange(25) * 3_600)
    starts: np.ndarray = block.start + (np.floor(days) * DAY_S + second_of_day).astype(np.int64)
    return starts


def _strata(rng: np.random.Generator, count: int) -> np.ndarray:
    """Draws (count,) rising numbers in 0…1, one in each count-th."""
    strata: np.ndarray = (np.arange(count) + rng.random(count)) / count
    return strata
