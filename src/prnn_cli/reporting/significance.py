"""Significance of differences between methods: paired bootstrap over sessions, Holm's correction.

Events of a session depend on each other, so sessions are resampled, not events; all methods see the same resamples.
Shapes: R resamples, S sessions, M measures (a metric of a method each).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

# Bounds the memory: 64 numbers for each session.
RESAMPLES_AT_ONCE = 64


@dataclass(frozen=True)
class Difference:
    """A row's lead over the row `over`, with its interval; `p` is adjusted for the other tests of the family."""

    value: float
    low: float
    high: float
    p: float
    over: str

    def mark(self, level: float) -> str:
        """The sign that stands behind the row's value; none where `p` is not below `level`."""
        if self.p >= level:
            return ""
        return "*" if self.value > 0 else "†"


def resampled_means(sums: np.ndarray, num_events: np.ndarray, resamples: int, seed: int = 0) -> np.ndarray:
    """The means (R, M) over the events of S sessions drawn with replacement.

    sums: (S, M), a measure summed over the events of each session; num_events: (S,)
    """
    totals = resampled_sums(np.column_stack([sums, num_events]), resamples, seed)
    means: np.ndarray = totals[:, :-1] / totals[:, -1:]
    return means


def resampled_sums(columns: np.ndarray, resamples: int, seed: int = 0) -> np.ndarray:
    """The sums (R, C) of the columns (S, C) over S sessions drawn with replacement: for a seed the same sessions."""
    rng = np.random.default_rng(seed)
    num_sessions = len(columns)
    sums = np.empty((resamples, columns.shape[1]))
    for start in range(0, resamples, RESAMPLES_AT_ONCE):
        stop = min(start + RESAMPLES_AT_ONCE, resamples)
        drawn = rng.integers(num_sessions, size=(stop - start, num_sessions))
        times = np.stack([np.bincount(row, minlength=num_sessions) for row in drawn]).astype(float)
        sums[start:stop] = times @ columns  # (r, S) @ (S, C)
    return sums


def interval(samples: np.ndarray, confidence: float) -> tuple[float, float]:
    """The percentile interval of (R,) resampled values."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(samples, [tail, 1 - tail])
    return float(low), float(high)


def p_value(differences: np.ndarray) -> float:
    """The two-sided p-value of (R,) resampled differences, by their signs; at least 2 / (R + 1)."""
    below, above = (differences <= 0).sum(), (differences >= 0).sum()
    return float(min(1.0, 2 * (1 + min(below, above)) / (1 + len(differences))))


def holm(p_values: np.ndarray) -> np.ndarray:
    """The adjusted p-values (M,): the i-th smallest times M − i + 1, never below a smaller one (Holm, 1979)."""
    order = np.argsort(p_values)
    factors = np.arange(len(p_values), 0, -1)
    adjusted = np.minimum(1.0, np.maximum.accumulate(p_values[order] * factors))
    result = np.empty(len(p_values))
    result[order] = adjusted
    return result


def enough_resamples(num_tests: int, confidence: float) -> int:
    """The resamples with which the smallest p of so many tests is half the level after Holm's correction."""
    return math.ceil(4 * num_tests / (1 - confidence))


def family(
    tests: Mapping[tuple[str, str], tuple[str, float, np.ndarray]], confidence: float
) -> dict[tuple[str, str], Difference]:
    """The differences of tests that Holm's method corrects for each other.

    tests: by (row, what of it), the row that it is compared with, the difference, and the same in (R,) resamples
    """
    adjusted = holm(np.array([p_value(samples) for _, _, samples in tests.values()]))
    return {
        key: Difference(value, *interval(samples, confidence), float(p), over)
        for (key, (over, value, samples)), p in zip(tests.items(), adjusted, strict=True)
    }
