from html.parser import HTMLParser

from prnn_cli.reporting.rendering import TextTable, latex_text, to_html, to_latex, to_markdown

TABLE = TextTable(
    ["Method", "recall@20"],
    [["Item-kNN", "0.5"], ["A|B & co", "0.7 (+40.00%)"], ["broken", "failed: NaN"]],
    rules={1},
    bold={(1, 1)},
)


def test_markdown_marks_best_values_and_groups_and_escapes_bars() -> None:
    assert to_markdown(TABLE).splitlines() == [
        "| Method | recall@20 |",
        "| --- | --- |",
        "| Item-kNN | 0.5 |",
        "|  |  |",
        "| A\\|B & co | **0.7 (+40.00%)** |",
        "| broken | failed: NaN |",
    ]


def test_latex_escapes_what_it_would_read_as_commands() -> None:
    lines = to_latex(TABLE, "100% real_data").splitlines()
    assert r"\caption{100\% real\_data}" in lines
    assert r"A|B \& co & \textbf{0.7 (+40.00\%)} \\" in lines
    assert lines.index(r"\addlinespace") == lines.index(r"Item-kNN & 0.5 \\") + 1
    assert latex_text("a−b ± c† {x}") == r"a$-$b $\pm$ c$^\dagger$ \{x\}"


def test_html_holds_the_same_cells() -> None:
    cells: list[str] = []

    class Cells(HTMLParser):
        def handle_data(self, data: str) -> None:
            if data.strip():
                cells.append(data)

    Cells().feed(to_html(TABLE))
    assert cells == ["Method", "recall@20", *(cell for line in TABLE.lines for cell in line)]
    assert "<b>0.7 (+40.00%)</b>" in to_html(TABLE)
