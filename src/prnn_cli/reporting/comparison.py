"""Rows that rank the same events: their metrics, intervals, and which differ from an ID-only row."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from prnn_cli.evaluation.metrics import PAPERS_CUTOFF, PAPERS_METRICS, shown_metrics
from prnn_cli.extensions import registered
from prnn_cli.reporting.event_values import Measures, measure
from prnn_cli.reporting.runs import FinishedRun, Row
from prnn_cli.reporting.significance import Difference, family, interval, resampled_means
from prnn_cli.reporting.slices import POSITION, SUPPORT, Slice, slice_by
from prnn_cli.reporting.tables import gain
from prnn_cli.schema import TableConfig

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Estimate:
    """A metric of a method: mean and standard deviation over its seeds, interval over the sessions."""

    mean: float
    deviation: float | None
    low: float
    high: float


class Comparison:
    """The methods that a table compares: rows, and the baselines that were ranked beside them.

    rows: in the table's order, failed ones too, at least one with runs; all rank the same events
    """

    def __init__(self, rows: Sequence[Row], config: TableConfig) -> None:
        self.rows, self.config = list(rows), config
        self.finished = [row for row in rows if row.runs]
        self.first: FinishedRun = self.finished[0].runs[0]
        self.baselines: dict[str, dict[str, Any]] = {
            name: values for name, values in self.first.metrics["baselines"].items() if self._is_shared(name)
        }
        labels = self.first.metrics["labels"]
        self.names = {name: labels[name] for name in self.baselines} | {row.name: row.name for row in rows}

    def _is_shared(self, baseline: str) -> bool:
        """Whether all runs were compared with it, with the same options and features."""
        runs = [run.metrics["baseline_options"] for row in self.finished for run in row.runs]
        return all(run.get(baseline) == runs[0].get(baseline) for run in runs)

    @cached_property
    def metrics(self) -> list[str]:
        """The metrics that were asked for in all runs; where there are none, the paper's, which all have.

        Intervals need the function behind a name, so one of an extension that is not there is left out with a warning.
        """
        cutoffs, names = self._shared("cutoffs"), self._shared("metrics")
        if unknown := [name for name in names if name not in registered("METRICS")]:
            log.warning("%s is of an extension that is not there, and left out of tables", ", ".join(unknown))
        known = [name for name in names if name not in unknown]
        return shown_metrics(known or PAPERS_METRICS, cutoffs or [PAPERS_CUTOFF])

    def _shared(self, setting: str) -> list[Any]:
        runs = [run.metrics[setting] for row in self.finished for run in row.runs]
        return [value for value in runs[0] if all(value in values for values in runs)]

    @property
    def methods(self) -> list[str]:
        """The methods: baselines by their key, then rows by name."""
        return [*self.baselines, *(row.name for row in self.finished)]

    @cached_property
    def measures(self) -> Measures:
        """The metrics of all methods for each event. Raises `UserError` where the kept ranks cannot be read."""
        return measure(self.finished, list(self.baselines), self.metrics)

    @cached_property
    def _resampled(self) -> dict[str, np.ndarray]:
        """The means of the M methods in R resamples of the sessions, (R, M), by metric."""
        return {
            metric: resampled_means(*self.measures.sessions(self.methods, metric), self.config.resamples)
            for metric in self.metrics
        }

    def estimate(self, method: str, metric: str) -> Estimate:
        """The mean with what it is uncertain by. method: as `methods` names it"""
        samples = self._resampled[metric][:, self.methods.index(method)]
        return Estimate(
            self.mean(method, metric),
            self._deviation(method, metric),
            *interval(samples, self.config.confidence),
        )

    def mean(self, method: str, metric: str) -> float:
        """The mean over the events and, of a row, over its seeds."""
        if method in self.baselines:
            return float(self.baselines[method][metric])
        return float(np.mean(self._row(method).values(metric)))

    def _deviation(self, method: str, metric: str) -> float | None:
        """The standard deviation over the seeds, with n − 1; None of a single one."""
        values = [] if method in self.baselines else self._row(method).values(metric)
        return float(np.std(values, ddof=1)) if len(values) > 1 else None

    def _row(self, name: str) -> Row:
        return next(row for row in self.finished if row.name == name)

    def best(self, metric: str) -> float:
        """The highest mean of any method."""
        return max(self.mean(method, metric) for method in self.methods)

    def strongest_id_only(self, metric: str) -> str | None:
        """The ID-only row of the highest mean, if there is one."""
        rows = [row.name for row in self.finished if row.is_id_only]
        return max(rows, key=lambda name: self.mean(name, metric), default=None)

    def best_parallel(self, metric: str) -> str | None:
        """The p-RNN of the highest mean, if there is one."""
        rows = [row.name for row in self.finished if row.is_parallel]
        return max(rows, key=lambda name: self.mean(name, metric), default=None)

    def reference(self, metric: str) -> str | None:
        """The method that gains refer to, as `methods` names it; None where there is no baseline either."""
        wanted = self.config.gain_over
        if wanted == "id_only" and (strongest := self.strongest_id_only(metric)):
            return strongest
        if wanted in self.baselines:
            return wanted
        return next((row.name for row in self.finished if wanted in _names(row)), self.main_baseline)

    def has(self, method: str | None) -> bool:
        """Whether a baseline or a finished row has this name, or is of the config of this name."""
        return method in self.baselines or any(method in _names(row) for row in self.finished)

    @property
    def main_baseline(self) -> str | None:
        """The one that the runs' own gains refer to."""
        name: str | None = self.first.metrics["gain_over"]
        return name

    def strongest_baseline(self, metric: str) -> str | None:
        """The baseline of the highest mean, if there is one."""
        return max(self.baselines, key=lambda name: self.mean(name, metric), default=None)

    def gain(self, method: str, metric: str) -> float | None:
        """The share by which a method is above its reference; None of the reference itself."""
        reference = self.reference(metric)
        if reference is None or method == reference:
            return None
        return gain(self.mean(method, metric), self.mean(reference, metric))

    def opponents(self, metric: str) -> dict[str, str]:
        """The ID-only row that each row is compared with: the strongest of those that had at least as many updates,
        else the strongest. That one itself is compared with none."""
        strongest = self.strongest_id_only(metric)
        return {
            row.name: self._opponent(row, metric)
            for row in self.finished
            if strongest is not None and row.name != strongest
        }

    def _opponent(self, row: Row, metric: str) -> str:
        others = [other for other in self.finished if other.is_id_only and other is not row]
        as_long = [other for other in others if trained_as_long(other, row)]
        return max((other.name for other in as_long or others), key=lambda name: self.mean(name, metric))

    @property
    def trained_longer(self) -> list[str]:
        """The rows that had more updates than every ID-only row that they could be compared with."""
        return [
            row.name
            for row in self.finished
            if row.updates is not None
            and not row.is_id_only
            and not any(trained_as_long(other, row) for other in self.finished if other.is_id_only)
        ]

    @cached_property
    def differences(self) -> dict[tuple[str, str], Difference]:
        """The difference of each row to its opponent, by (row, metric); the rows are a family of tests by metric."""
        found: dict[tuple[str, str], Difference] = {}
        for metric in self.metrics:
            samples = dict(zip(self.methods, self._resampled[metric].T, strict=True))
            tests = {
                (row, metric): (
                    over,
                    self.mean(row, metric) - self.mean(over, metric),
                    samples[row] - samples[over],
                )
                for row, over in self.opponents(metric).items()
            }
            found |= family(tests, self.config.confidence)
        return found

    @cached_property
    def slices(self) -> list[Slice]:
        """Each metric by the support of the target, where the runs kept it, and by the position in the session."""
        bins = {SUPPORT: self.measures.support_bins(), POSITION: self.measures.position_bins()}
        return [
            slice_by(by, known, self.measures, self.methods, metric, self.opponents(metric), self.config)
            for metric in self.metrics
            for by, known in bins.items()
            if known is not None
        ]


def _names(row: Row) -> set[str]:
    return {row.name, row.key or row.name}


def trained_as_long(row: Row, other: Row) -> bool:
    """Whether a row had at least as many updates as another one; not, where it is not known."""
    return row.updates is not None and other.updates is not None and row.updates >= other.updates
