"""What a person meets on a terminal of 40, 80 or 120 columns, and what a pipe gets."""

import fcntl
import os
import struct
import sys
import termios
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.cells import cell_len

from prnn_cli.reporting.table_formats import TextTable
from prnn_cli.reporting.terminal import fitted, say, show

TABLE = TextTable(
    ["Method", "recall@20", "note"],
    [["Item-kNN", "0.5", "a|b"], ["[ID] & <co>", "0.7 (+40.00%)", "two\nlines"], ["broken", "failed"]],
    align="lrl",
    rules={1},
    bold={(1, 1)},
)
METRICS = [f"{name}@{k}" for k in (5, 20) for name in ("recall", "mrr", "ndcg")]
VALUES = [f"0.{number}234 ± 0.0{number}11 (−{number}2.34%)*" for number in range(1, 7)]
WIDE = TextTable(
    ["Method", *METRICS, "tie rate"],
    [["Parallel (res), [output.learning_rate=0.05, recipe.activation=tanh]", *VALUES, "0.00%"]],
    spare=["tie rate"],
)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes stdout a terminal of so many columns."""

    def make(columns: int) -> None:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("TERM", "dumb")  # without codes for bold

    return make


def printed(capsys: pytest.CaptureFixture[str], table: TextTable, title: str = "") -> str:
    show(table, title)
    return capsys.readouterr().out


def test_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, TABLE, "[tiny]").splitlines() == [
        "[tiny]",
        "Method           recall@20  note",
        "─────────────────────────────────────",
        "Item-kNN               0.5  a|b",
        "",
        "[ID] & <co>  0.7 (+40.00%)  two lines",
        "broken              failed",
        "",
    ]


def test_a_pipe_gets_the_full_width_whatever_columns_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("FORCE_COLOR", "")
    heading, _, line, _ = printed(capsys, WIDE).splitlines()
    assert heading.split() == ["Method", *METRICS, "tie", "rate"]
    assert all(cell in line for cell in WIDE.lines[0])


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal_and_every_number_is_whole(
    columns: int, capsys: pytest.CaptureFixture[str], terminal: Callable[[int], None]
) -> None:
    terminal(columns)
    text = printed(capsys, WIDE)
    assert max(map(cell_len, text.splitlines())) <= columns
    for value in VALUES:
        number, _, gain = value.partition(" (")
        assert number in text
        assert f"({gain}" in text


def test_the_name_is_folded_before_a_column_goes() -> None:
    """48 columns wide as it is; the name can be folded to 20 of its 30."""
    table = TextTable(
        ["Method", "mrr@20", "tie rate"], [["a name that has thirty letters", "0.1234", "0.00%"]]
    )
    table.spare = ["tie rate"]
    assert fitted(table, 48) == ([{0: 30, 1: 6, 2: 8}], [])
    assert fitted(table, 44) == ([{0: 26, 1: 6, 2: 8}], [])
    assert fitted(table, 38) == ([{0: 20, 1: 6, 2: 8}], [])
    # Of the heading "tie rate" each word can have a line.
    assert fitted(table, 35) == ([{0: 20, 1: 6, 2: 5}], [])
    assert fitted(table, 34) == ([{0: 26, 1: 6}], ["tie rate"])


def test_columns_without_a_value_go_first_and_without_a_word() -> None:
    table = TextTable(["run", "left", "checkpoint"], [["a", "0:00:12", ""]], spare=["left"])
    assert fitted(table, 12) == ([{0: 3, 1: 7}], [])


def test_names_are_broken_where_their_parts_meet(
    capsys: pytest.CaptureFixture[str], terminal: Callable[[int], None]
) -> None:
    terminal(30)
    table = TextTable(
        ["run", "mrr@20"], [["interaction_res-seed42", "0.1234"], ["[a.rate=0.05, b=1e-05]", "1.0"]]
    )
    assert printed(capsys, table).splitlines()[2:] == [
        "interaction_res-seed42  0.1234",
        "[a.rate=0.05, b=1e-05]     1.0",
        "",
    ]
    terminal(28)
    assert printed(capsys, table).splitlines()[2:] == [
        "interaction_res-      0.1234",
        "seed42",
        "[a.rate=0.05, b=         1.0",
        "1e-05]",
        "",
    ]


def test_codes_in_a_label_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, TextTable(["Method", "mrr@20"], [["a\x1b[2Jb\x9bc\td", "0.5"]]), "\x1b]0;title")
    say("label \x1b[31m")
    assert not {"\x1b", "\x9b", "\t"} & set(text + capsys.readouterr().out)
    assert "a [2Jb c d" in text


def test_what_has_no_room_is_named(
    capsys: pytest.CaptureFixture[str], terminal: Callable[[int], None]
) -> None:
    terminal(40)
    assert "no room for tie rate" in printed(capsys, WIDE)


def test_what_cannot_go_stands_in_blocks_each_with_the_name() -> None:
    blocks, _ = fitted(WIDE, 80)
    assert [list(block) for block in blocks] == [[0, 1, 2], [0, 3, 4], [0, 5, 6]]


def test_sentences_are_folded_between_words_on_a_terminal_alone(
    capsys: pytest.CaptureFixture[str], terminal: Callable[[int], None]
) -> None:
    sentence = "the loss is not finite\nlower subnets.text.learning_rate"
    say(sentence)
    assert capsys.readouterr().out == "the loss is not finite lower subnets.text.learning_rate\n"
    terminal(30)
    say(sentence)
    assert capsys.readouterr().out == "the loss is not finite lower\n  subnets.text.learning_rate\n"


def read_to(last: str, master: int) -> str:
    """What was written to a terminal, up to `last`; it comes in pieces."""
    found = b""
    while last.encode() not in found:
        found += os.read(master, 65536)
    os.close(master)
    return found.decode()


@pytest.mark.parametrize(
    ("name", "value", "coded"), [("NO_COLOR", "1", True), ("TERM", "dumb", False), ("TERM", "xterm", True)]
)
def test_a_real_terminal_has_bold_and_a_dumb_one_text_alone(
    name: str, value: str, coded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    for variable in ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(name, value)
    with os.fdopen(slave, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        monkeypatch.setattr(sys, "__stdout__", stdout)
        show(replace(WIDE, spare=[]))
        stdout.flush()
        text = read_to("0.00%", master)
    assert ("\x1b[1m" in text) == coded
    assert "\x1b[3" not in text  # no colour
    assert text.count("Method") == 4
