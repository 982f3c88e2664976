"""A comparison as the sections of table.md, of the LaTeX files, and of summary.html."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from prnn_cli.reporting import slice_tables
from prnn_cli.reporting.comparison import Comparison
from prnn_cli.reporting.footer import footer
from prnn_cli.reporting.paper_table import paper_table, significance_table
from prnn_cli.reporting.slices import SUPPORT
from prnn_cli.reporting.table_formats import TextTable, markdown_text, to_latex, to_markdown
from prnn_cli.reporting.tables import table_1

RESULTS, INTERVALS, SLICES = "table.tex", "intervals.tex", "slices.tex"


@dataclass(frozen=True)
class Section:
    """A table with its heading and the sentences beneath it.

    key: its name in links and labels, such as "results"; latex: the file that it stands in, if any
    """

    key: str
    heading: str
    table: TextTable
    notes: list[str] = field(default_factory=list)
    latex: str = ""

    def markdown(self) -> str:
        """The section as a part of table.md."""
        notes = "  \n".join(map(markdown_text, self.notes))  # two spaces end a line
        return f"## {markdown_text(self.heading)}\n\n{to_markdown(self.table)}" + (
            f"\n{notes}\n" if notes else ""
        )

    def latex_table(self) -> str:
        """The section as a table of a LaTeX file."""
        return to_latex(self.table, f"{self.heading}.", f"tab:{self.key}", self.notes)


def sections_of(comparison: Comparison, number: int = 1, apart: str = "") -> list[Section]:
    """The sections results, intervals, slices and data.

    number: of the comparison in the report; apart: why its runs stand apart from those of the first
    """
    metrics, end = comparison.first.metrics, "" if number == 1 else f"-{number}"
    of = "" if number == 1 else f", set {number}"
    if comparison.first.window is not None:
        of = f", window {comparison.first.window}"
    results = Section(
        f"results{end}",
        f"Results on {metrics['dataset']}{of}",
        paper_table(comparison),
        [*([apart] if apart else []), *footer(comparison)],
        RESULTS,
    )
    intervals = Section(
        f"intervals{end}", f"Intervals and differences{of}", significance_table(comparison), latex=INTERVALS
    )
    sections = [results, intervals, *_slices(comparison, end, of)]
    if "data" in metrics:
        table = TextTable.from_frame(table_1(metrics["dataset"], metrics["data"]))
        sections.append(Section(f"data{end}", f"Data{of}", table))
    return sections


def _slices(comparison: Comparison, end: str, of: str) -> Iterator[Section]:
    for each in comparison.slices:
        by = "support" if each.by == SUPPORT else "position"
        key, heading = f"{each.metric.replace('@', '-')}-by-{by}", f"{slice_tables.heading(each)}{of}"
        values, notes = slice_tables.values_table(comparison, each), slice_tables.notes(comparison, each)
        yield Section(f"{key}{end}", heading, values, notes, SLICES)
        if each.differences:
            differences = slice_tables.differences_table(each)
            yield Section(f"{key}-differences{end}", f"Differences in {heading}", differences, latex=SLICES)
