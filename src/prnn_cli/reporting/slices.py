"""A metric by bins of events, with intervals and tests of its own: where a method gains, and where it loses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from prnn_cli.reporting.event_values import Measures
from prnn_cli.reporting.significance import Difference, enough_resamples, family, interval, resampled_sums
from prnn_cli.schema import TableConfig

SUPPORT, POSITION = "training events of the item", "clicks before the event"
# The bootstrap of fewer sessions says too little: a bin of one session would have no variance at all.
MIN_SESSIONS = 20


@dataclass(frozen=True)
class Slice:
    """A metric of all methods by bins of events.

    by: `SUPPORT` or `POSITION`; events, sessions: their numbers, by bin
    means, intervals: by (method, bin); differences: by (row, bin). Bins of few sessions have means alone
    resamples: how many were drawn
    """

    metric: str
    by: str
    events: dict[str, int]
    sessions: dict[str, int]
    means: dict[tuple[str, str], float]
    intervals: dict[tuple[str, str], tuple[float, float]]
    differences: dict[tuple[str, str], Difference]
    resamples: int

    @property
    def bins(self) -> list[str]:
        """The names of the bins, in their order."""
        return list(self.events)


def slice_by(
    by: str,
    bins: pd.Series,
    measures: Measures,
    methods: Sequence[str],
    metric: str,
    opponents: Mapping[str, str],
    config: TableConfig,
) -> Slice:
    """The metric of all methods in each bin. opponents: the row that each row is compared with

    Whole sessions are resampled, of which a bin has the events that fall into it, as often as the configuration says,
    or more where a p of so large a family could not become small. All differences are one family of tests.
    """
    names = list(map(str, bins.cat.categories))
    sums, counts = measures.sessions_by(bins, methods, metric)  # (S, M, B), (S, B)
    num_sessions = (counts > 0).sum(axis=0)
    means = {
        (method, name): float(value)
        for method, row in zip(methods, sums.sum(axis=0) / counts.sum(axis=0), strict=True)
        for name, value in zip(names, row, strict=True)
    }
    samples: dict[tuple[str, str], np.ndarray] = {}
    tested = np.flatnonzero(num_sessions >= MIN_SESSIONS)
    resamples = max(config.resamples, enough_resamples(len(opponents) * len(tested), config.confidence))
    if len(tested):
        drawn = _resampled(sums[:, :, tested], counts[:, tested], resamples)
        samples = {
            (method, names[bin_index]): drawn[:, m, b]
            for m, method in enumerate(methods)
            for b, bin_index in enumerate(tested)
        }
    tests = {
        (row, name): (
            over,
            means[row, name] - means[over, name],
            _known(samples[row, name] - samples[over, name]),
        )
        for row, over in opponents.items()
        for name in names
        if (row, name) in samples
    }
    return Slice(
        metric,
        by,
        dict(zip(names, counts.sum(axis=0).tolist(), strict=True)),
        dict(zip(names, num_sessions.tolist(), strict=True)),
        means,
        {key: interval(_known(column), config.confidence) for key, column in samples.items()},
        family(tests, config.confidence),
        resamples,
    )


def _resampled(sums: np.ndarray, counts: np.ndarray, resamples: int) -> np.ndarray:
    """The means (R, M, B) in resamples of the sessions; NaN where the sessions drawn have no event in the bin."""
    num_sessions, num_methods, num_bins = sums.shape
    totals = resampled_sums(np.column_stack([sums.reshape(num_sessions, -1), counts]), resamples)
    events = totals[:, None, -num_bins:]
    values = totals[:, :-num_bins].reshape(-1, num_methods, num_bins)
    means: np.ndarray = np.divide(values, events, out=np.full_like(values, np.nan), where=events > 0)
    return means


def _known(samples: np.ndarray) -> np.ndarray:
    known: np.ndarray = samples[~np.isnan(samples)]
    return known
