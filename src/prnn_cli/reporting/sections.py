"""A comparison as the sections of table.md and summary.html."""

from dataclasses import dataclass, field

from prnn_cli.reporting.comparison import SUPPORT, Comparison
from prnn_cli.reporting.paper_table import footer, paper_table, significance_table, slice_table
from prnn_cli.reporting.table_formats import TextTable, to_markdown
from prnn_cli.reporting.tables import table_1


@dataclass(frozen=True)
class Section:
    """A table with its heading and the sentences beneath it."""

    heading: str
    table: TextTable
    notes: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        """The section as a part of table.md."""
        notes = "  \n".join(self.notes)  # two spaces end a line
        return f"## {self.heading}\n\n{to_markdown(self.table)}" + (f"\n{notes}\n" if notes else "")


def sections_of(comparison: Comparison, apart: str = "") -> list[Section]:
    """The sections results, intervals, slices and data. apart: why the runs stand apart from others in the report"""
    metrics = comparison.first.metrics
    sections = [
        Section(
            f"Results on {metrics['dataset']}",
            paper_table(comparison),
            [*([apart] if apart else []), *footer(comparison)],
        ),
        Section("Intervals and differences", significance_table(comparison)),
    ]
    for metric, by, frame in comparison.slices():
        heading = f"{metric} by item support" if by == SUPPORT else f"{metric} by position in the session"
        sections.append(Section(heading, slice_table(comparison, frame, by)))
    if "data" in metrics:
        sections.append(Section("Data", TextTable.from_frame(table_1(metrics["dataset"], metrics["data"]))))
    return sections
