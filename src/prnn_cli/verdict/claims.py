"""The statistics of a verdict: how much a network leads another one, how sure that is, and what follows.

A lead varies with the sessions of the test part and with the seeds of training. Its variance is the sum of both:

    d    = mean over the seeds of (metric of the one − metric of the other), on the same events
    se²  = Σ_s (x_s − d e_s)² S / ((S − 1) E²) + var(d_k) / K
    d ± t se,   with Satterthwaite's degrees of freedom

over S test sessions with e_s events, E in all, of which x_s is the lead's sum in session s, mean over the seeds, and
K seeds with the leads d_k. What sessions and seeds make together is counted in both, so that intervals are rather too
wide. They hold for the one training log, and take sessions as independent. Shapes: K seeds, S sessions.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

POWER = 0.8  # with which the smallest lead that could have been seen would have been seen
HELPS, DOES_NOT_HELP, CANNOT_TELL = "helps", "does_not_help", "cannot_tell"


@dataclass(frozen=True)
class Lead:
    """A lead over another row.

    reached: the metric of the other row; low, high: the interval of the lead; smallest: the least lead that would have
    been seen
    """

    over: str
    reached: float
    value: float
    low: float
    high: float
    smallest: float


def lead(own: np.ndarray, other: np.ndarray, num_events: np.ndarray, over: str, level: float) -> Lead:
    """The lead of a row over another one.

    own, other: (K, S) sums of the metric over the events of each session, by seed; num_events: (S,); level: of error,
    two-sided
    """
    events, num_sessions, num_seeds = num_events.sum(), len(num_events), len(own)
    reached = float(other.sum(axis=1).mean() / events)
    by_seed = (own.sum(axis=1) - other.sum(axis=1)) / events
    value = float(by_seed.mean())
    rests = (own - other).mean(axis=0) - value * num_events
    of_sessions = float((rests**2).sum()) * num_sessions / (num_sessions - 1) / events**2
    of_seeds = float(by_seed.var(ddof=1)) / num_seeds
    variance = of_sessions + of_seeds
    if variance == 0:
        return Lead(over, reached, value, value, value, 0.0)
    freedom = variance**2 / (of_sessions**2 / (num_sessions - 1) + of_seeds**2 / (num_seeds - 1))
    t, error = float(stats.t.ppf(1 - level / 2, freedom)), variance**0.5
    seen = (t + float(stats.t.ppf(POWER, freedom))) * error
    return Lead(over, reached, value, value - t * error, value + t * error, seen)


@dataclass(frozen=True)
class Claim:
    """What the leads of a p-RNN say about a part of the events.

    leads: over its opponents; beside: over others, for information
    """

    events: str
    leads: list[Lead]
    beside: list[Lead]
    answer: str

    @property
    def deciding(self) -> Lead:
        """The lead that decides: of the lowest end, or, where a gain is ruled out, of the lowest upper end."""
        if self.answer == DOES_NOT_HELP:
            return min(self.leads, key=lambda each: each.high)
        return min(self.leads, key=lambda each: each.low)

    @property
    def smallest(self) -> float:
        """The least lead that would have been seen over any single opponent."""
        return max(each.smallest for each in self.leads)


def claim(
    events: str,
    own: np.ndarray,
    opponents: Mapping[str, np.ndarray],
    beside: Mapping[str, np.ndarray],
    num_events: np.ndarray,
    level: float,
    interest: float,
) -> Claim:
    """The claim about some events.

    Features help where the p-RNN leads every opponent: an intersection-union test, which needs no correction for their
    number. They do not help where over one of them a gain of interest is ruled out: a union, so `level` is divided by
    their number. Where both hold, they help.

    own: (K, S) as of `lead`; opponents, beside: the same by name
    interest: the share of what an opponent reaches below which a lead over it is of no interest
    """
    leads, others = (
        [lead(own, other, num_events, name, level) for name, other in rows.items()]
        for rows in (opponents, beside)
    )
    wider = [lead(own, other, num_events, name, level / len(leads)) for name, other in opponents.items()]
    if all(each.low > 0 for each in leads):
        answer = HELPS
    elif any(each.high < interest * each.reached for each in wider):
        answer = DOES_NOT_HELP
    else:
        answer = CANNOT_TELL
    return Claim(events, leads, others, answer)
