"""A table -> Markdown, LaTeX, HTML; a frame of plain values -> CSV. The terminal's are in terminal.py."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import pandas as pd

from prnn_cli.errors import visible
from prnn_cli.system.files import atomic_write


@dataclass
class TextTable:
    """A table whose cells are text: what every writer of this file takes.

    lines: cells from the left, perhaps fewer than the header has
    align: "l" (words) or "r" (numbers) for each column; unless given, words in the first one and numbers in the others
    rules: lines before which a new group begins
    headings: lines whose only cell is the name of the group beneath it
    bold: (line, column) of best values
    spare: names of columns that a narrow terminal does without, the first to go first
    """

    header: list[str]
    lines: list[list[str]] = field(default_factory=list)
    align: str = ""
    rules: set[int] = field(default_factory=set)
    headings: set[int] = field(default_factory=set)
    bold: set[tuple[int, int]] = field(default_factory=set)
    spare: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.align = self.align or "l" + "r" * (len(self.header) - 1)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, formats: Mapping[str, str] | None = None) -> "TextTable":
        """The rows and columns of `frame`, without its index; columns that hold numbers stand at the right.

        Integers are written as 1,234, missing values as nothing. formats: {"loss": ".4f"} for columns of numbers
        """
        known = frame.astype(object).where(frame.notna(), None)
        columns = {str(name): values.tolist() for name, values in known.items()}
        forms = formats or {}
        cells = [[_text(value, forms.get(name)) for value in values] for name, values in columns.items()]
        sides = ["r" if any(map(_is_number, values)) else "l" for values in columns.values()]
        return cls(list(columns), [list(line) for line in zip(*cells, strict=True)], "".join(sides))

    def written(self, write: Callable[[str], str], bold: str, heading: str = "{}") -> list[list[str]]:
        """The lines, filled up to the header's length: each cell by `write`, best values within `bold` ("**{}**"),
        names of groups within `heading`."""
        return [
            [
                self._form(i, column, bold, heading).format(write(cell))
                for column, cell in enumerate([*line, *[""] * (len(self.header) - len(line))])
            ]
            for i, line in enumerate(self.lines)
        ]

    def _form(self, line: int, column: int, bold: str, heading: str) -> str:
        if (line, column) in self.bold:
            return bold
        return heading if line in self.headings and column == 0 else "{}"


def to_markdown(table: TextTable) -> str:
    """A table of GitHub's Markdown; an empty line stands for a rule."""
    width = len(table.header)
    lines = [list(map(markdown_text, table.header)), ["---"] * width]
    for i, cells in enumerate(table.written(markdown_text, "**{}**", "*{}*")):
        lines += [[""] * width, cells] if i in table.rules else [cells]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


# A bar ends a cell; the others begin a tag, code, a link, emphasis, a formula or an entity, or escape what follows.
MARKDOWN = re.compile(r"[|<>`]|\](?=[(\[])|[*~$](?=\S)|(?<![^\W_])_(?=\S)|&(?=#?\w+;)|\\(?=[!-/:-@\[-`{-~])")
# Text that begins so is a formula to a spreadsheet, which computes it and may fetch what it names.
FORMULA = ("=", "+", "-", "@", "\t", "\n")


def markdown_text(text: str) -> str:
    """Text for a cell of a Markdown table, its signs escaped where they would break the cell or vanish from it."""
    return MARKDOWN.sub(r"\\\g<0>", on_one_line(text))


def to_latex(table: TextTable, caption: str, label: str, notes: Sequence[str] = ()) -> str:
    """A table for the package booktabs. label: what \\ref takes, such as "tab:results"; notes: sentences beneath it"""
    body = []
    for i, cells in enumerate(table.written(latex_text, r"\textbf{{{}}}", r"\emph{{{}}}")):
        body += [r"\addlinespace", _latex_line(cells)] if i in table.rules else [_latex_line(cells)]
    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            rf"\caption{{{latex_text(caption)}}}",
            rf"\label{{{label}}}",
            rf"\begin{{tabular}}{{{table.align}}}",
            r"\toprule",
            _latex_line(map(latex_text, table.header)),
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
    "|": r"\textbar{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
} | {sign: f"\\{sign}" for sign in "&%$#_{}"}


def latex_text(text: str) -> str:
    """Text whose signs LaTeX prints, where it would read some as commands."""
    return "".join(LATEX.get(sign, sign) for sign in on_one_line(text))


def _latex_line(cells: Iterable[str]) -> str:
    line = " & ".join(cells)
    # The command before this line would take "[" or "*" for an option of its own.
    guard = "{}" if line.startswith(("[", "*")) else ""
    return rf"{guard}{line} \\"


def to_html(table: TextTable) -> str:
    """An element <table>: cells of numbers have the class "number", lines after a rule the class "rule"."""
    lines = [_html_line("th", map(escape, table.header), table.align, "")]
    for i, cells in enumerate(table.written(escape, "<b>{}</b>", "<i>{}</i>")):
        lines.append(_html_line("td", cells, table.align, "rule" if i in table.rules else ""))
    return f"<table>\n{''.join(lines)}</table>\n"


def _html_line(tag: str, cells: Iterable[str], align: str, css_class: str) -> str:
    classes = ("number" if side == "r" else "" for side in align)
    line = (f"<{tag}{_class(name)}>{cell}</{tag}>" for name, cell in zip(classes, cells, strict=True))
    return f"<tr{_class(css_class)}>{''.join(line)}</tr>\n"


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Writes the values of `frame` as they are, without its index, but for ' before text that begins as a formula."""
    words = frame.select_dtypes(["object", "string"])
    guarded = frame.assign(**{str(name): words[name].map(_no_formula) for name in words})
    guarded = guarded.rename(columns=_no_formula)
    with atomic_write(path) as temporary:
        guarded.to_csv(temporary, index=False)


def _no_formula(value: object) -> object:
    if not isinstance(value, str):
        return value
    # A lone \r would not be quoted, and would end the line.
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text.startswith(FORMULA) else text


def _text(value: object, form: str | None) -> str:
    if _is_number(value):
        return format(value, form or ("," if isinstance(value, int) else ""))
    return "" if value is None else str(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def on_one_line(text: str) -> str:
    """The text with spaces for its line ends and tabs, and signs for other control characters."""
    return visible(" ".join(text.splitlines()).replace("\t", " "))
