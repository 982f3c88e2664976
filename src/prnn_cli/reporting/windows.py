"""Comparisons on windows of one log -> a table of the means over them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from prnn_cli.reporting.beside_published import BesidePublished
from prnn_cli.reporting.comparison import Comparison
from prnn_cli.reporting.runs import seeds_averaged
from prnn_cli.reporting.sections import Section
from prnn_cli.reporting.table_formats import TextTable
from prnn_cli.reporting.tables import gain, signed_percent

NUMBER = "dataset.window.number"


@dataclass(frozen=True)
class Windows:
    """What ranked the same methods on several windows of a log (`dataset.split=window`), in their order."""

    comparisons: Sequence[Comparison]

    @cached_property
    def metrics(self) -> list[str]:
        """The metrics that all windows have."""
        first, *others = [comparison.metrics for comparison in self.comparisons]
        return [metric for metric in first if all(metric in other for other in others)]

    @cached_property
    def names(self) -> dict[str, str]:
        """Every method of any window, as `Comparison.methods` names it, with the name that tables show."""
        return {method: each.names[method] for each in self.comparisons for method in each.methods}

    def values(self, method: str, metric: str) -> list[float]:
        """The method's metric on each window that it finished; of a row, the mean over its seeds."""
        return [each.mean(method, metric) for each in self.comparisons if method in each.methods]

    def seeds(self, method: str) -> list[int]:
        """The seeds of a row, of any window; none of a baseline."""
        runs = [
            run
            for each in self.comparisons
            for row in each.finished
            if row.name == method
            for run in row.runs
        ]
        return sorted({run.metrics["seed"] for run in runs})

    def mean(self, method: str, metric: str) -> float:
        """The mean over the windows, each of which counts the same, as session-rec has it."""
        return float(np.mean(self.values(method, metric)))

    def deviation(self, method: str, metric: str) -> float | None:
        """The standard deviation over the windows, with n − 1; None of a single one."""
        values = self.values(method, metric)
        return float(np.std(values, ddof=1)) if len(values) > 1 else None

    def is_whole(self, method: str) -> bool:
        """Whether the method finished on every window."""
        return len(self.values(method, self.metrics[0])) == len(self.comparisons)

    @cached_property
    def beside(self) -> BesidePublished:
        """Their means beside what was published."""
        return BesidePublished(self.comparisons, self.mean)

    @property
    def reference(self) -> str | None:
        """The baseline that gains refer to."""
        name = self.comparisons[0].main_baseline
        return name if name is not None and name in self.names and self.is_whole(name) else None


def windows_of(comparisons: Sequence[Comparison]) -> list[Windows]:
    """The sets of two and more comparisons that differ in the window alone."""
    sets: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        if comparison.first.window is not None:
            of_data = {
                key: str(value)
                for key, value in comparison.first.settings.items()
                if key.startswith("dataset.") and key != NUMBER
            }
            sets.setdefault(json.dumps(of_data, sort_keys=True), []).append(comparison)
    return [Windows(sorted(each, key=_number)) for each in sets.values() if len(each) > 1]


def section_of(windows: Windows, number: int = 1) -> Section:
    """The table of means over the windows; number: of the set of windows in the report."""
    first = windows.comparisons[0].first
    numbers = ", ".join(str(_number(each)) for each in windows.comparisons)
    gains = ""
    if windows.reference:
        gains = f"Gains over {windows.names[windows.reference]} in parentheses, best values bold. "
    events = [each.first.metrics["num_test_events"] for each in windows.comparisons]
    notes = [
        f"{gains}Mean ± standard deviation (n − 1) over windows {numbers} of {first.metrics['dataset']}, each of which "
        f"counts the same; they have {', '.join(f'{count:,}' for count in events)} {first.metrics['part']} events.",
    ]
    if averaged := seeds_averaged([row for each in windows.comparisons for row in each.finished]):
        notes.append(
            f"On each window a network has the mean of {averaged}; ± tells of windows, not of seeds."
        )
    if not all(map(windows.is_whole, windows.names)):
        notes.append("A method that did not finish on every window has the mean of fewer, and is never bold.")
    if windows.beside.is_shown:
        notes += windows.beside.notes
    end = "" if number == 1 else f"-{number}"
    heading = f"Means over windows of {first.metrics['dataset']}"
    return Section(f"windows{end}", heading, _table(windows), notes, latex="windows.tex")


def plain_windows(windows: Windows) -> pd.DataFrame:
    """A line for each method: mean and deviation of each metric over the windows, their number, and the seeds."""
    lines = []
    for method, name in windows.names.items():
        line: dict[str, object] = {"method": name}
        for metric in windows.metrics:
            line |= {metric: windows.mean(method, metric), f"{metric}_sd": windows.deviation(method, metric)}
            if windows.beside.is_shown:
                line[f"{metric}_published"] = windows.beside.value(method, metric)
        number, seeds = len(windows.values(method, windows.metrics[0])), map(str, windows.seeds(method))
        lines.append(line | {"windows": number, "seeds": " ".join(seeds)})
    return pd.DataFrame(lines)


def _table(windows: Windows) -> TextTable:
    beside = windows.beside
    published = beside.header(windows.metrics) if beside.is_shown else []
    table = TextTable(["Method", *windows.metrics, "windows", *published])
    whole = [method for method in windows.names if windows.is_whole(method)]
    for method, name in windows.names.items():
        for column, metric in enumerate(windows.metrics, 1):
            best = max((windows.mean(each, metric) for each in whole), default=None)
            if method in whole and windows.mean(method, metric) == best:
                table.bold.add((len(table.lines), column))
        number = len(windows.values(method, windows.metrics[0]))
        cells = [_cell(windows, method, metric) for metric in windows.metrics]
        cells.append(f"{number} of {len(windows.comparisons)}")
        table.lines.append(
            [name, *cells, *(beside.cells(method, windows.metrics) if beside.is_shown else [])]
        )
    return table


def _cell(windows: Windows, method: str, metric: str) -> str:
    mean, deviation = windows.mean(method, metric), windows.deviation(method, metric)
    text = f"{mean:.4f}" if deviation is None else f"{mean:.4f} ± {deviation:.4f}"
    reference = windows.reference
    if reference is None or method == reference or not windows.is_whole(method):
        return text
    above = gain(mean, windows.mean(reference, metric))
    return text if above is None else f"{text} ({signed_percent(above)})"


def _number(comparison: Comparison) -> int:
    assert comparison.first.window is not None
    return comparison.first.window
