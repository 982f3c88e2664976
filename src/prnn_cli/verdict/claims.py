"""The statistics of a verdict: how much a network leads another one, how sure that is, and what follows.

A lead varies with the sessions of the test part and with the seeds of training. Its variance is the sum of both:

    d    = mean over the seeds of (metric of the one − metric of the other), on the same events
    se²  = Σ_s (x_s − d e_s)² S / ((S − 1) E²) + max(2 v / K, (v_1 + v_2) / K)
    d ± t se,   with Satterthwaite's degrees of freedom

over S test sessions with e_s events, E in all, of which x_s is the lead's sum in session s, mean over the seeds, and
K seeds. v_1 and v_2 are the variances of the two rows' metrics between their seeds; v is the mean of these variances
over all R rows that are judged, with R (K − 1) degrees of freedom: by the two or three seeds of two rows alone hardly
anything could ever be told. What sessions and seeds make together is counted in both, so that intervals are rather
too wide. They hold for the one training log, and take sessions as independent. Shapes: K seeds, S sessions.

Several claims are decided by Holm's procedure: the claim of the smallest p-value at the level divided by their number,
the next one at the level divided by one less, until one is not decided. An interval has the level of its claim.
"""

from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True)
class SeedVariance:
    """The variance of a row's metric between seeds, and the degrees of freedom that it is known with."""

    value: float
    freedom: int

    @classmethod
    def of(cls, rows: Sequence[np.ndarray], num_events: np.ndarray) -> "SeedVariance":
        """The mean over rows, each (K, S) sums of the metric by session and seed."""
        variances = [between_seeds(row, num_events) for row in rows]
        return cls(float(np.mean(variances)), sum(len(row) - 1 for row in rows))


NO_VARIANCE = SeedVariance(0.0, 1)  # what ever more seeds would come to


def between_seeds(row: np.ndarray, num_events: np.ndarray) -> float:
    """The variance of a row's metric between its seeds; 0 of a method that has none."""
    if len(row) == 1:
        return 0.0
    return float((row.sum(axis=1) / num_events.sum()).var(ddof=1))


def difference(
    own: np.ndarray,
    other: np.ndarray,
    num_events: np.ndarray,
    over: str,
    seeds: SeedVariance,
    rows: float = 2.0,
) -> Difference:
    """The lead of a row over another one.

    own, other: (K, S) sums of the metric over the events of each session, by seed, or (1, S) of a method without seeds
    num_events: (S,); seeds: of a row; rows: how often it is in the lead: 2 of two networks, 1 + 1/n over a mean of n
    """
    events, num_sessions, num_seeds = num_events.sum(), len(num_events), len(own)
    reached = float(other.sum(axis=1).mean() / events)
    value = float(own.sum(axis=1).mean() / events) - reached
    rests = own.mean(axis=0) - other.mean(axis=0) - value * num_events
    of_sessions = float((rests**2).sum()) * num_sessions / (num_sessions - 1) / events**2
    of_seeds = rows * seeds.value / num_seeds
    if seeds is not NO_VARIANCE:
        of_both = between_seeds(own, num_events) + between_seeds(other, num_events)
        of_seeds = max(of_seeds, of_both / num_seeds)
    variance = of_sessions + of_seeds
    parts = of_sessions**2 / (num_sessions - 1) + of_seeds**2 / seeds.freedom
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
        if answer == DOES_NOT_HELP:
            below = [each.p_below(self.interest * each.reached) for each in self.rivals]
            decides = int(np.argmin(below))
        else:
            decides = int(np.argmin([each.low for each in leads]))
        return Claim(self.events, self.num_sessions, self.num_events, leads, decides, answer)


@dataclass(frozen=True)
class Claim:
    """What the leads of a p-RNN over its rivals say about a part of the events.

    decides: the index of the lead of the lowest end, or of that over which a gain is ruled out most surely
    missing: rivals that could not be trained
    """

    events: str
    num_sessions: int
    num_events: int
    leads: list[Lead]
    decides: int
    answer: str
    missing: list[str] = field(default_factory=list)

    def without_rivals(self, missing: list[str]) -> "Claim":
        """The same where rivals are missing: that features help cannot be told without one."""
        answer = CANNOT_TELL if missing and self.answer == HELPS else self.answer
        return replace(self, missing=missing, answer=answer)

    @property
    def deciding(self) -> Lead:
        return self.leads[self.decides]

    @property
    def lacks_rivals(self) -> bool:
        """Whether nothing but a missing rival keeps it from being said that features help."""
        return bool(self.missing) and self.answer == CANNOT_TELL and all(each.low > 0 for each in self.leads)

    @property
    def smallest(self) -> float:
        """The least lead that would have been seen, four times out of five, over any single rival."""
        return max(each.smallest for each in self.leads)


def evidence(
    events: str,
    own: np.ndarray,
    rivals: Mapping[str, np.ndarray],
    num_events: np.ndarray,
    interest: float,
    seeds_vary: bool = True,
) -> Evidence:
    """The evidence on some events.

    own: (K, S) as of `difference`; rivals: the same by name; seeds_vary: False for what ever more seeds of these means
    would come to
    """
    seeds = SeedVariance.of([own, *rivals.values()], num_events) if seeds_vary else NO_VARIANCE
    leads = [difference(own, other, num_events, name, seeds) for name, other in rivals.items()]
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
