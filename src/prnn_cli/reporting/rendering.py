"""A table of text -> Markdown, LaTeX, HTML, the terminal."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

import pandas as pd
from rich.table import Table
from rich.text import Text

from prnn_cli.reporting.tables import print_table


@dataclass
class TextTable:
    """rules: lines before which a new group begins; bold: (line, column) of best values; lines may be short."""

    header: list[str]
    lines: list[list[str]] = field(default_factory=list)
    rules: set[int] = field(default_factory=set)
    bold: set[tuple[int, int]] = field(default_factory=set)

    def cell(self, line: int, column: int) -> str:
        cells = self.lines[line]
        return cells[column] if column < len(cells) else ""


def text_table(frame: pd.DataFrame) -> TextTable:
    lines = [
        [f"{value:,}" if isinstance(value, int) else str(value) for value in line]
        for line in frame.values.tolist()
    ]
    return TextTable([str(name) for name in frame.columns], lines)


def to_markdown(table: TextTable) -> str:
    width = len(table.header)
    lines = [table.header, ["---"] * width]
    for i in range(len(table.lines)):
        if i in table.rules:
            lines.append([""] * width)
        cells = [table.cell(i, column).replace("|", "\\|") for column in range(width)]
        lines.append(
            [f"**{cell}**" if (i, column) in table.bold else cell for column, cell in enumerate(cells)]
        )
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def to_latex(table: TextTable, caption: str, notes: Sequence[str] = ()) -> str:
    """notes: sentences beneath the table"""
    width = len(table.header)
    body = []
    for i in range(len(table.lines)):
        if i in table.rules:
            body.append(r"\addlinespace")
        cells = [latex_text(table.cell(i, column)) for column in range(width)]
        bold = [
            rf"\textbf{{{cell}}}" if (i, column) in table.bold else cell for column, cell in enumerate(cells)
        ]
        body.append(f"{' & '.join(bold)} \\\\")
    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            rf"\caption{{{latex_text(caption)}}}",
            rf"\begin{{tabular}}{{l{'r' * (width - 1)}}}",
            r"\toprule",
            f"{' & '.join(map(latex_text, table.header))} \\\\",
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            *([rf"\par\smallskip\footnotesize {' '.join(map(latex_text, notes))}"] if notes else []),
            r"\end{table}",
            "",
        ]
    )


LATEX = {
    "\\": r"\textbackslash{}",
    "−": "$-$",
    "±": r"$\pm$",
    "†": r"$^\dagger$",
    "…": r"\ldots{}",
    "≥": r"$\geq$",
    "–": "--",
    "×": r"$\times$",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
} | {sign: f"\\{sign}" for sign in "&%$#_{}"}


def latex_text(text: str) -> str:
    return re.sub(".", lambda sign: LATEX.get(sign[0], sign[0]), text)


def to_html(table: TextTable, css_class: str = "numbers") -> str:
    rows = ["".join(f"<th>{escape(name)}</th>" for name in table.header)]
    for i in range(len(table.lines)):
        cells = [
            f"<td>{'<b>' if (i, column) in table.bold else ''}{escape(table.cell(i, column))}"
            f"{'</b>' if (i, column) in table.bold else ''}</td>"
            for column in range(len(table.header))
        ]
        rows.append("".join(cells))
    classes = ["", *(' class="rule"' if i in table.rules else "" for i in range(len(table.lines)))]
    lines = [f"<tr{name}>{row}</tr>" for name, row in zip(classes, rows, strict=True)]
    return f'<table class="{css_class}">\n' + "\n".join(lines) + "\n</table>\n"


def show_text_table(table: TextTable, title: str = "") -> None:
    printed = Table(title=title or None, title_justify="left")
    for position, name in enumerate(table.header):
        printed.add_column(name, justify="left" if position == 0 else "right")
    for i in range(len(table.lines)):
        cells = [
            Text(table.cell(i, column), style="bold" if (i, column) in table.bold else "")
            for column in range(len(table.header))
        ]
        printed.add_row(*cells, end_section=i + 1 in table.rules)
    print_table(printed)
