"""What a table measured beside what was published of the same methods, and the difference where it is fair to tell."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from prnn_cli.reporting.comparison import Comparison
from prnn_cli.reporting.departures import other_events, other_settings
from prnn_cli.reporting.published import published, published_value
from prnn_cli.reporting.runs import FinishedRun
from prnn_cli.reporting.tables import signed


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
        first = (row.runs if row else self._runs)[0].metrics
        return published_value(first.get("experiment"), first.get("row") if row else method, metric)

    @cached_property
    def other_events(self) -> list[str]:
        """Why the runs rank other events than the published ones; empty where they do not."""
        return other_events(self._runs, self._published)

    @cached_property
    def departures(self) -> list[str]:
        """Why no difference to what was published is told, such as "dataset.test_days=3" or "epochs=3"; empty where it
        is."""
        return [*self.other_events, *other_settings(self._runs, self._published)]

    @property
    def is_the_papers(self) -> bool:
        """Whether the values are those of the paper's tables, whose data nobody else has."""
        return bool(self._published["dataset"].eq("").all())

    def header(self, metrics: Sequence[str]) -> list[str]:
        """The names of the columns that `cells` fills."""
        if self.departures:
            if self.is_the_papers:
                return [f"paper's {metric}, other data" for metric in metrics]
            what = "other protocol" if self.other_events else "other settings"
            return [f"published {metric}, {what}" for metric in metrics]
        return [name for metric in metrics for name in (f"published {metric}", f"difference in {metric}")]

    def cells(self, method: str, metrics: Sequence[str]) -> list[str]:
        """The published value of each metric, and where it is fair to tell it ours less the published one: not of a
        method that some window lacks."""
        is_whole = all(method in each.methods for each in self.comparisons)
        cells: list[str] = []
        for metric in metrics:
            value = self.value(method, metric)
            cells.append("" if value is None else f"{value:.4f}")
            if not self.departures:
                cells.append(
                    "" if value is None or not is_whole else signed(self.mean(method, metric) - value)
                )
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
        values, experiments = published(), {run.metrics["experiment"] for run in self._runs}
        return values[values.index.get_level_values("table").isin(experiments)]

    @cached_property
    def _runs(self) -> list[FinishedRun]:
        """The runs of experiments of which something was published; what is ranked beside them is no departure."""
        tables = set(published().index.get_level_values("table"))
        runs = [run for each in self.comparisons for row in each.finished for run in row.runs]
        return [run for run in runs if run.metrics.get("experiment") in tables]
