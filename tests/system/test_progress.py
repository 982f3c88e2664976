"""Bars at the widths of terminals, and what stands in their place where none can be drawn."""

import io
import logging
import re

import pytest
from rich.console import Console

from prnn_cli.system import progress

NOTE = progress.training_note(1, 10, "id+image", 0.95712, 15904.2)


def drawn(monkeypatch: pytest.MonkeyPatch, width: int, what: str, note: str = NOTE) -> list[str]:
    """The lines of a bar at a half, without the codes of the terminal."""
    monkeypatch.setenv("TERM", "xterm")
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=width, height=30, color_system="standard")
    monkeypatch.setattr(progress, "console", console)
    with progress.meter(what, 100) as meter:
        meter.update(0, note)
        meter.update(50, note)
        meter._bars.refresh()
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.getvalue())
    return [line for line in re.split(r"[\r\n]+", text) if "50%" in line]


@pytest.mark.parametrize(("width", "cells"), [(40, 5), (80, 10), (120, 15)])
def test_a_bar_fits_and_shows_share_and_time_left_whole(
    width: int, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for line in drawn(monkeypatch, width, "training"):
        assert len(line) <= width
        assert sum(line.count(sign) for sign in "━╸╺") == cells
        assert re.search(r"50% \d:\d\d:\d\d left ", line)


def test_the_end_of_the_note_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "(id+image) loss 0.9571 15,904 events/s" in drawn(monkeypatch, 120, "training")[-1]
    assert "phase 1 epoch 10 (id+image)" in (line := drawn(monkeypatch, 80, "training")[-1])
    assert "events/s" not in line
    assert line.rstrip().endswith("…")


def test_brackets_of_a_files_name_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "[old] clicks.csv" in drawn(monkeypatch, 80, "reading", "[old] clicks.csv")[-1]


@pytest.mark.parametrize(("terminal", "term"), [(False, "xterm"), (True, "dumb")])
def test_where_no_bar_can_be_drawn_the_log_has_lines(
    terminal: bool, term: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(progress, "console", Console(file=io.StringIO(), force_terminal=terminal))
    monkeypatch.setattr(progress, "PLAIN_LINE_EVERY_S", 0.0)
    caplog.set_level(logging.INFO)
    with progress.meter("reading", 4) as meter:
        meter.update(1, "clicks.csv", seconds_left=30.0)
    assert caplog.messages == ["reading 1/4 clicks.csv, 30 s left"]


def test_work_within_other_work_has_a_bar_below_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    output = io.StringIO()
    monkeypatch.setattr(progress, "console", Console(file=output, force_terminal=True, width=80, height=30))
    with progress.meter("training", 100) as outer:
        outer.update(50, "")
        with progress.meter("ranking with network", 100) as inner:
            inner.update(25, "")
            inner._bars.refresh()
        together = output.getvalue().splitlines()[-2:]
        assert "training" in together[0]
        assert "50%" in together[0]
        assert "ranking with network" in together[1]
        assert "25%" in together[1]
        output.truncate(0)
        outer._bars.refresh()
        assert "training" in output.getvalue()
        assert "ranking" not in output.getvalue()
    with progress.meter("ranking with network", 100) as alone:
        alone._bars.refresh()
    assert output.getvalue().rfind("ranking") > output.getvalue().rfind("training")


def test_a_warning_is_folded_on_a_terminal_and_its_paths_stay_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    path = "/a/folder/whose/name/is/long/clicks.csv"
    monkeypatch.setenv("COLUMNS", "30")
    for output, lines in (
        (Terminal(), ["3 of 5 files hold nothing, as", f"  {path}", "  and others"]),
        (io.StringIO(), [f"3 of 5 files hold nothing, as {path} and others"]),
    ):
        monkeypatch.setattr(progress, "console", Console(file=output, color_system=None))
        text = f"3 of 5 files hold nothing, as {path} and others"
        progress.ConsoleHandler().emit(logging.LogRecord("prnn", logging.WARNING, "", 0, text, (), None))
        assert output.getvalue().splitlines() == lines
