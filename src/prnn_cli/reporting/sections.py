"""A comparison as the sections of table.md and summary.html, and as the long table of slices.csv."""

from dataclasses import dataclass, field

import pandas as pd

from prnn_cli.reporting.comparison import Comparison
from prnn_cli.reporting.paper_table import footer, paper_table, significance_table, slice_table
from prnn_cli.reporting.rendering import TextTable, to_markdown
from prnn_cli.reporting.tables import table_1

SUPPORT, POSITION = "training events of the item", "clicks before the event"


@dataclass(frozen=True)
class Section:
    """A table with its heading and the sentences beneath it."""

    heading: str
    table: TextTable
    notes: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        notes = "  \n".join(self.notes)  # two spaces end a line
        return f"## {self.heading}\n\n{to_markdown(self.table)}" + (f"\n{notes}\n" if notes else "")


def sections_of(comparison: Comparison, apart: str = "") -> list[Section]:
    """The results first. apart: why the runs stand apart from others in the report"""
    metrics = comparison.first.metrics
    sections = [
        Section(
            f"Results on {metrics['dataset']}",
            paper_table(comparison),
            [*([apart] if apart else []), *footer(comparison)],
        ),
        Section("Intervals and differences", significance_table(comparison)),
    ]
    for metric, by, frame in _slices(comparison):
        heading = f"{metric} by item support" if by == SUPPORT else f"{metric} by position in the session"
        sections.append(Section(heading, slice_table(comparison, frame, by)))
    if "data" in metrics:
        sections.append(Section("Data", TextTable.from_frame(table_1(metrics["dataset"], metrics["data"]))))
    return sections


def slices(comparison: Comparison) -> pd.DataFrame:
    """Long: bin, events, method, value, by, metric."""
    frames = []
    for metric, by, frame in _slices(comparison):
        named = frame.rename(columns=comparison.names).rename_axis("bin").reset_index()
        long = named.melt(["bin", "events"], var_name="method", value_name="value")
        frames.append(long.assign(by=by, metric=metric))
    return pd.concat(frames, ignore_index=True)


def _slices(comparison: Comparison) -> list[tuple[str, str, pd.DataFrame]]:
    """(metric, by, a line for each bin); runs of older versions have kept no support."""
    found = []
    for metric in comparison.metrics:
        support = comparison.measures.by_support(comparison.methods, metric)
        if support is not None:
            found.append((metric, SUPPORT, support))
        found.append((metric, POSITION, comparison.measures.by_position(comparison.methods, metric)))
    return found
