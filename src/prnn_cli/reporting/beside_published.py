"""What a table measured beside what was published of the same methods, by the same protocol or another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from prnn_cli.reporting.comparison import Comparison
from prnn_cli.reporting.published import published, published_value
from prnn_cli.reporting.runs import FinishedRun
from prnn_cli.reporting.tables import signed

# What may be set on the command line while the events that are ranked stay the published ones.
SAME_EVENTS = (
    "dataset.path",
    "dataset.window.number",
    "dataset.max_bad_share",
    "dataset.min_ranked_events",
    "evaluation.metrics",
    "evaluation.cutoffs",
    "evaluation.each_epoch",
)
NEARLY_ALL = 0.99  # of a log's rows, as what is told of logs counts some rows otherwise


@dataclass(frozen=True)
class BesidePublished:
    """Published values for the methods of a table.

    comparisons: one, or those on several windows of a log; mean(method, metric): what the table has measured
    """

    comparisons: Sequence[Comparison]
    mean: Callable[[str, str], float]

    @property
    def is_shown(self) -> bool:
        """Whether published values are asked for, and there are any of the experiment."""
        return self.comparisons[0].config.published and len(self._published) > 0

    def value(self, method: str, metric: str) -> float | None:
        """What was published; None where nothing was. method: as `Comparison.methods` names it"""
        found = (row for each in self.comparisons for row in each.finished if row.name == method)
        row = next(found, None)
        first = (row.runs[0] if row else self.comparisons[0].first).metrics
        return published_value(first.get("experiment"), first.get("row") if row else method, metric)

    @cached_property
    def departures(self) -> list[str]:
        """Why the runs rank other events than the published ones, such as "dataset=shop" or "dataset.test_days".

        Empty where they were published of this dataset, whose rows are all there, no option of it was changed, and no
        window is missing.
        """
        of = set(self._published["dataset"])
        found = [
            f"dataset={run.metrics['dataset']}" for run in self._runs if run.metrics["dataset"] not in of
        ]
        found += [
            option
            for run in self._runs
            for option in sorted(run.given - set(SAME_EVENTS))
            if option.startswith(("dataset.", "evaluation"))
        ]
        found += [missing for run in self._runs if (missing := _missing_rows(run))]
        of_windows = self._published["windows"].max()
        numbers = {run.window for run in self._runs if run.window is not None}
        if of_windows and numbers != set(range(1, of_windows + 1)):
            found.append(f"{len(numbers)} of {of_windows} windows")
        return list(dict.fromkeys(found))

    @property
    def is_the_papers(self) -> bool:
        """Whether the values are those of the paper's tables, whose data nobody else has."""
        return bool(self._published["dataset"].eq("").all())

    def header(self, metrics: Sequence[str]) -> list[str]:
        """The names of the columns that `cells` fills."""
        if self.departures:
            if self.is_the_papers:
                return [f"paper's {metric}, other data" for metric in metrics]
            return [f"published {metric}, other protocol" for metric in metrics]
        return [name for metric in metrics for name in (f"published {metric}", f"difference in {metric}")]

    def cells(self, method: str, metrics: Sequence[str]) -> list[str]:
        """The published value of each metric, and where it is of the same events ours less the published one."""
        cells: list[str] = []
        for metric in metrics:
            value = self.value(method, metric)
            cells.append("" if value is None else f"{value:.4f}")
            if not self.departures:
                cells.append("" if value is None else signed(self.mean(method, metric) - value))
        return cells

    @property
    def notes(self) -> list[str]:
        """Sentences that say where the values are from, and how far they compare."""
        if self.is_the_papers:
            return ["The paper's values were measured on other data; they are for orientation."]
        sources = ", ".join(self._published["source"].unique())
        notes = [f"Published values: {sources}; docs/published.md says what differs from that protocol."]
        if self.departures:
            notes.append(f"No difference to them is told, as these runs have {', '.join(self.departures)}.")
        return notes

    @cached_property
    def _published(self) -> pd.DataFrame:
        """What was published for the experiments of the runs."""
        experiments = {run.metrics.get("experiment") for run in self._runs}
        values = published()
        return values[values.index.get_level_values("table").isin(experiments)]

    @cached_property
    def _runs(self) -> list[FinishedRun]:
        return [run for each in self.comparisons for row in each.finished for run in row.runs]


def _missing_rows(run: FinishedRun) -> str:
    """How many rows a run has read of a public log; empty where it is (nearly) all of them, or it is not known."""
    read, whole = run.metrics.get("data", {}).get("rows"), run.settings.get("dataset.source.events")
    if read is None or whole is None or read >= NEARLY_ALL * whole:
        return ""
    return f"{read:,} of the log's {whole:,} rows"
