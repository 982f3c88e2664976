"""Tables and sentences on stdout: made for the width of a terminal, whole and plain in a pipe or a file.

A table that is too wide gives way in this order: columns without a value go; names, other words and headings are
folded; columns that it can do without (`TextTable.spare`) go, one by one, and a sentence says which; what is left
stands in blocks beneath each other, each with the first column. A number is never cut.
"""

import re
import sys
from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from prnn_cli.reporting.table_formats import TextTable, on_one_line
from prnn_cli.system.folding import folded, terminal_width

GAP = 2  # between two columns
WORDS = 20  # columns of words are folded to no less
# Where a line may end: after a space, and within the name of a run or of an option; a number has none of these.
PIECES = re.compile(r".+?(?:\s+|(?<=[=/_])|(?<=[.-])(?=[A-Za-z])|$)")

Widths = dict[int, int]  # by column


def show(table: TextTable, title: str = "") -> None:
    """Prints the table, fitted to the terminal where there is one."""
    width = terminal_width(sys.stdout)
    blocks, left_out = fitted(table, width)
    if title:
        say(title)
    for block in blocks:
        _print_block(table, block)
    if left_out:
        say(
            f"{width} columns have no room for {', '.join(left_out)}; a wider terminal, a pipe or a file shows all."
        )


def say(sentence: str, indent: int = 2) -> None:
    """Prints a sentence, folded between words on a terminal. indent: of the lines that follow the first"""
    print(folded(on_one_line(sentence), sys.stdout, indent))


def fitted(table: TextTable, width: int | None) -> tuple[list[Widths], list[str]]:
    """The blocks that fit `width`, each the widths of its columns, and the names of the columns that are left out."""
    cells = table.written(on_one_line, "{}")
    natural = {c: _longest(table.header[c], *(line[c] for line in cells)) for c in range(len(table.header))}
    if width is None or _total(natural) <= width:
        return [natural], []
    natural = {c: size for c, size in natural.items() if c == 0 or any(line[c] for line in cells)}
    folded = {c: _folded(table, cells, c) for c in natural}
    left_out = []
    for name in table.spare:
        if _total(folded) > width and folded.pop(table.header.index(name), 0):
            left_out.append(name)
    blocks = [
        _shrunk({c: natural[c] for c in block}, folded, table.align, width)
        for block in _blocks(folded, width)
    ]
    return [_broken(block, cells, width) for block in blocks], left_out


def _folded(table: TextTable, cells: Sequence[Sequence[str]], column: int) -> int:
    """The width to which a column can be folded between words, and numbers not at all."""
    lines = [line[column] for line in cells]
    heading = _longest(*(piece.rstrip() for piece in PIECES.findall(table.header[column])))
    if table.align[column] == "r":
        return max(_longest(*lines), heading)
    return max(min(WORDS, _longest(*lines)), min(WORDS, heading))


def _blocks(folded: Widths, width: int) -> list[list[int]]:
    """The columns, set apart where the next one would not fit; each block begins with the first column."""
    first, *others = folded
    blocks = [[first]]
    for column in others:
        block = [*blocks[-1], column]
        if len(block) > 2 and _total({c: folded[c] for c in block}) > width:
            blocks.append([first, column])
        else:
            blocks[-1] = block
    return blocks


def _shrunk(natural: Widths, folded: Widths, align: str, width: int) -> Widths:
    """The widths that fit, as far as folding goes: columns of words give way first, the first one before all."""
    widths = dict(natural)
    for column in sorted(widths, key=lambda c: (align[c] == "r", c)):
        excess = max(0, _total(widths) - width)
        widths[column] -= min(excess, widths[column] - folded[column])
    return widths


def _broken(widths: Widths, cells: Sequence[Sequence[str]], width: int) -> Widths:
    """The widths of a block that still does not fit: its last column is broken between "0.5" and "(+1.20%)"."""
    last = max(widths)
    words = [word for line in cells for word in line[last].split()]
    excess = max(0, _total(widths) - width)
    return widths | {last: max(min(widths[last], _longest(*words)), widths[last] - excess)}


def _print_block(table: TextTable, widths: Widths) -> None:
    printed = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
    for column, size in widths.items():
        side = "right" if table.align[column] == "r" else "left"
        heading = Text(_in_lines(table.header[column], size))
        printed.add_column(heading, justify=side, width=size, overflow="fold")  # type: ignore[arg-type]
    for i, cells in enumerate(table.written(on_one_line, "{}")):
        # As `Text`, as rich would take brackets for its markup.
        texts = [
            Text(_in_lines(cells[column], size), _style(table, i, column)) for column, size in widths.items()
        ]
        printed.add_row(*texts, end_section=i + 1 in table.rules)
    console = Console(width=_total(widths))
    # Not console.print, which makes a closed pipe an exit of its own.
    with console.capture() as captured:
        console.print(printed)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()), end="\n\n")


def _style(table: TextTable, line: int, column: int) -> str:
    return "bold" if (line, column) in table.bold else "italic" if line in table.headings else ""


def _in_lines(text: str, width: int) -> str:
    """The text in lines of `width`, but for pieces that are longer."""
    lines = [""]
    for piece in PIECES.findall(text):
        if lines[-1] and cell_len(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(line.rstrip() for line in lines)


def _total(widths: Widths) -> int:
    return sum(widths.values()) + GAP * (len(widths) - 1)


def _longest(*texts: str) -> int:
    return max(map(cell_len, texts), default=0)
