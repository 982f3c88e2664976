"""One table, written by hand, through every writer."""

from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from prnn_cli.reporting.table_formats import (
    TextTable,
    latex_text,
    markdown_text,
    to_html,
    to_latex,
    to_markdown,
    write_csv,
)

TABLE = TextTable(
    ["Method", "recall@20", "note"],
    [["Item-kNN", "0.5", "a|b"], ["[ID] & <co>", "0.7 (+40.00%)", "two\nlines"], ["broken", "failed: NaN"]],
    align="lrl",
    rules={1},
    bold={(1, 1)},
)


def test_markdown() -> None:
    assert to_markdown(TABLE).splitlines() == [
        r"| Method | recall@20 | note |",
        r"| --- | --- | --- |",
        r"| Item-kNN | 0.5 | a\|b |",
        r"|  |  |  |",
        r"| [ID] & \<co\> | **0.7 (+40.00%)** | two lines |",
        r"| broken | failed: NaN |  |",
    ]


def test_latex() -> None:
    assert to_latex(TABLE, "100% real_data", "tab:real", ["One.", "Two."]).splitlines() == [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"\caption{100\% real\_data}",
        r"\label{tab:real}",
        r"\begin{tabular}{lrl}",
        r"\toprule",
        r"Method & recall@20 & note \\",
        r"\midrule",
        r"Item-kNN & 0.5 & a\textbar{}b \\",
        r"\addlinespace",
        r"{}[ID] \& \textless{}co\textgreater{} & \textbf{0.7 (+40.00\%)} & two lines \\",
        r"broken & failed: NaN &  \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\par\smallskip\footnotesize One. Two.",
        r"\end{table}",
    ]


def test_html() -> None:
    assert to_html(TABLE) == (
        "<table>\n"
        '<tr><th>Method</th><th class="number">recall@20</th><th>note</th></tr>\n'
        '<tr><td>Item-kNN</td><td class="number">0.5</td><td>a|b</td></tr>\n'
        '<tr class="rule"><td>[ID] &amp; &lt;co&gt;</td><td class="number"><b>0.7 (+40.00%)</b></td>'
        "<td>two\nlines</td></tr>\n"
        '<tr><td>broken</td><td class="number">failed: NaN</td><td></td></tr>\n'
        "</table>\n"
    )


def test_markdown_escapes_what_would_break_a_cell_or_vanish() -> None:
    assert markdown_text("a|b\r\nc") == r"a\|b c"
    assert markdown_text(r"a\|b") == r"a\\\|b"  # shown as a\|b
    assert markdown_text(r"C:\logs [SALE] 3 * 4 a_b 0.5*") == r"C:\logs [SALE] 3 * 4 a_b 0.5*"
    assert markdown_text("<img src=x onerror=alert(1)>") == r"\<img src=x onerror=alert(1)\>"
    assert markdown_text("![x](http://a/b)") == r"![x\](http://a/b)"
    assert markdown_text("`code` *new* _a_ ~b~ $c$ &lt;") == r"\`code\` \*new* \_a_ \~b~ \$c$ \&lt;"


def test_latex_escapes_what_it_would_read_as_commands() -> None:
    assert latex_text(r"&%$#_{}") == r"\&\%\$\#\_\{\}"
    assert latex_text("~^\\") == r"\textasciitilde{}\textasciicircum{}\textbackslash{}"
    assert latex_text("a−b ± c†") == r"a$-$b $\pm$ c$^\dagger$"


def test_a_parser_finds_the_cells_of_the_html() -> None:
    cells: list[str] = []

    class Cells(HTMLParser):
        def handle_data(self, data: str) -> None:
            if data.strip():
                cells.append(data)

    Cells().feed(to_html(TABLE))
    assert cells == [*TABLE.header, *(cell for line in TABLE.lines for cell in line)]


def test_columns_of_a_frame_stand_by_what_they_hold() -> None:
    """Ids are words though they have digits alone; integers beside fractions or gaps stay integers."""
    frame = pd.DataFrame(
        {"item": ["27", "3"], "events": [1234, 5], "loss": [0.5, None], "fast": [True, False]}
    )
    frame["rank"] = pd.Series(["query", 1], dtype=object)
    table = TextTable.from_frame(frame, {"loss": ".4f"})
    assert table.header == ["item", "events", "loss", "fast", "rank"]
    assert table.lines == [["27", "1,234", "0.5000", "True", "query"], ["3", "5", "", "False", "1"]]
    assert table.align == "lrrlr"


def test_unless_told_the_first_column_is_of_words() -> None:
    assert TextTable(["Method", "recall@20", "mrr@20"]).align == "lrr"


def test_csv_has_the_values_as_they_are(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", pd.DataFrame({"item": ["a,b"], "events": [1234], "loss": [1 / 3]}))
    assert (tmp_path / "a.csv").read_text() == 'item,events,loss\n"a,b",1234,0.3333333333333333\n'


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\n=1"])
def test_csv_holds_no_formula(text: str, tmp_path: Path) -> None:
    """Numbers below 0 are numbers, whatever else their column holds."""
    frame = pd.DataFrame(
        {text: [text, "a=b"], "gain": [-0.5, None], "mixed": pd.Series([-1, text], dtype=object)}
    )
    write_csv(tmp_path / "a.csv", frame)
    read = pd.read_csv(tmp_path / "a.csv", dtype=str, keep_default_na=False)
    safe = f"'{text}"
    assert [list(read), *read.to_numpy().tolist()] == [
        [safe, "gain", "mixed"],
        [safe, "-0.5", "-1"],
        ["a=b", "", safe],
    ]


def test_a_cell_of_csv_ends_no_line(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", pd.DataFrame({"reason": ["failed\r=1+1", "two\r\nlines"]}))
    assert pd.read_csv(tmp_path / "a.csv")["reason"].tolist() == ["failed\n=1+1", "two\nlines"]
    assert b"\r" not in (tmp_path / "a.csv").read_bytes()
