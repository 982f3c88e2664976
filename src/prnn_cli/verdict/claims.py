"""The statistics of a verdict: how much a network leads another one, how sure that is, and what follows.

A lead varies with the sessions of the test part and with the seeds of training. Its variance is the sum of both:

    d    = mean over the seeds of (metric of the one − metric of the other), on the same events
    se²  = Σ_s (x_s − d e_s)² S / ((S − 1) E²) + var(d_k) / K
    d ± t se,   with Satterthwaite's degrees of freedom

over S test sessions with e_s events, E in all, of which x_s is the lead's sum in session s, mean over the seeds, and
K seeds with the leads d_k. What sessions and seeds make together is counted in both, so that intervals are rather too
wide. They hold for the one training log, and take sessions as independent. Shapes: K seeds, S sessions.

Several claims are decided by Holm's procedure: the claim of the smallest p-value at the level divided by their number,
the next one at the level divided by one less, until one is not decided. An interval has the level of its claim.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import stats

POWER = 0.8  # with which the smallest lead that could have been seen would have been seen
HELPS, DOES_NOT_HELP, CANNOT_TELL = "helps", "does_not_help", "cannot_tell"


@dataclass(frozen=True)
class Difference:
    """A lead over another row before its interval: over a metric that the other `reached`.

    of_sessions, of_seeds: the variances of the lead; freedom: of Student's distribution
    """

    over: str
    reached: float
    value: float
    of_sessions: float
    of_seeds: float
    freedom: float

    @property
    def error(self) -> float:
        """The standard error."""
        return float((self.of_sessions + self.of_seeds) ** 0.5)

    def p_above(self, least: float) -> float:
        """The two-sided p-value of a lead above `least`: 1 where it stands below."""
        return min(1.0, 2 * self._tail(self.value - least))

    def p_below(self, most: float) -> float:
        """The two-sided p-value of a lead below `most`."""
        return min(1.0, 2 * self._tail(most - self.value))

    def _tail(self, distance: float) -> float:
        if self.error == 0:
            return 0.0 if distance > 0 else 1.0
        return float(stats.t.sf(distance / self.error, self.freedom))

    def at(self, level: float) -> "Lead":
        """The lead with its interval of this error, two-sided."""
        if self.error == 0:
            return Lead(self.over, self.reached, self.value, self.value, self.value, 0.0, level)
        t, seen = (float(stats.t.ppf(share, self.freedom)) for share in (1 - level / 2, POWER))
        half, smallest = t * self.error, (t + seen) * self.error
        return Lead(
            self.over, self.reached, self.value, self.value - half, self.value + half, smallest, level
        )


@dataclass(frozen=True)
class Lead:
    """A lead over another row.

    reached: the metric of the other row; low, high: the interval of the lead; smallest: the least lead that would have
    been seen; level: of the interval's error
    """

    over: str
    reached: float
    value: float
    low: float
    high: float
    smallest: float
    level: float


def difference(
    own: np.ndarray, other: np.ndarray, num_events: np.ndarray, over: str, seeds_vary: bool = True
) -> Difference:
    """The lead of a row over another one.

    own, other: (K, S) sums of the metric over the events of each session, by seed; num_events: (S,)
    seeds_vary: False for the interval that ever more seeds would come to
    """
    events, num_sessions, num_seeds = num_events.sum(), len(num_events), len(own)
    reached = float(other.sum(axis=1).mean() / events)
    by_seed = (own.sum(axis=1) - other.sum(axis=1)) / events
    value = float(by_seed.mean())
    rests = (own - other).mean(axis=0) - value * num_events
    of_sessions = float((rests**2).sum()) * num_sessions / (num_sessions - 1) / events**2
    of_seeds = float(by_seed.var(ddof=1)) / num_seeds if seeds_vary else 0.0
    variance = of_sessions + of_seeds
    parts = of_sessions**2 / (num_sessions - 1) + of_seeds**2 / max(1, num_seeds - 1)
    return Difference(over, reached, value, of_sessions, of_seeds, variance**2 / parts if variance else 1.0)


@dataclass(frozen=True)
class Evidence:
    """What is known of a claim before the level is: the leads of a p-RNN over its rivals, on some of the events.

    num_sessions, num_events: that the claim is about
    interest: the share of what a rival reaches below which a lead over it is of no interest
    """

    events: str
    rivals: list[Difference]
    num_sessions: int
    num_events: int
    interest: float

    @property
    def p_helps(self) -> float:
        """The p-value of a lead over every rival: an intersection-union test, which needs no correction for them."""
        return max(each.p_above(0) for each in self.rivals)

    @property
    def p_does_not_help(self) -> float:
        """The p-value of a gain of interest being ruled out over one of the rivals, corrected for their number."""
        smallest = min(each.p_below(self.interest * each.reached) for each in self.rivals)
        return min(1.0, smallest * len(self.rivals))

    @property
    def p_value(self) -> float:
        return min(self.p_helps, self.p_does_not_help)

    def at(self, level: float) -> "Claim":
        """What follows at this level. Where a lead over all is sure, features help, be it of no interest."""
        if self.p_helps <= level:
            answer = HELPS
        elif self.p_does_not_help <= level:
            answer = DOES_NOT_HELP
        else:
            answer = CANNOT_TELL
        share = len(self.rivals) if answer == DOES_NOT_HELP else 1
        leads = [each.at(level / share) for each in self.rivals]
        return Claim(self.events, self.num_sessions, self.num_events, leads, answer)


@dataclass(frozen=True)
class Claim:
    """What the leads of a p-RNN over its rivals say about a part of the events. missing: rivals that failed"""

    events: str
    num_sessions: int
    num_events: int
    leads: list[Lead]
    answer: str
    missing: list[str] = field(default_factory=list)

    def without_rivals(self) -> "Claim":
        """The same where rivals are missing: that features help cannot be told without one."""
        is_open = self.missing and self.answer == HELPS
        return replace(self, answer=CANNOT_TELL) if is_open else self

    @property
    def deciding(self) -> Lead:
        """The lead that decides: of the lowest end, or, where a gain is ruled out, of the lowest upper end."""
        end: Callable[[Lead], float] = (
            (lambda each: each.high) if self.answer == DOES_NOT_HELP else lambda each: each.low
        )
        return min(self.leads, key=end)

    @property
    def smallest(self) -> float:
        """The least lead that would have been seen over any single rival."""
        return max(each.smallest for each in self.leads)


def evidence(
    events: str,
    own: np.ndarray,
    rivals: Mapping[str, np.ndarray],
    num_events: np.ndarray,
    interest: float,
    seeds_vary: bool = True,
) -> Evidence:
    """The evidence on some events. own: (K, S) as of `difference`; rivals: the same by name"""
    leads = [difference(own, other, num_events, name, seeds_vary) for name, other in rivals.items()]
    return Evidence(events, leads, len(num_events), int(num_events.sum()), interest)


def decided(claims: Sequence[Evidence], level: float, num_claims: int) -> list[Claim]:
    """The claims by Holm's procedure. num_claims: that were to be made, of which some could not"""
    found: dict[int, Claim] = {}
    at = level / num_claims
    for done, (index, each) in enumerate(sorted(enumerate(claims), key=lambda pair: pair[1].p_value)):
        if all(claim.answer != CANNOT_TELL for claim in found.values()):
            at = level / (num_claims - done)
        found[index] = each.at(at)
    return [found[index] for index in range(len(claims))]
