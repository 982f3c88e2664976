import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from prnn_cli.jobs import sweep_view as module
from prnn_cli.jobs.sweep_view import SweepView
from prnn_cli.reporting.sweep_jobs import SweepJob
from prnn_cli.system import progress


def on_console(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, height: int = 30, width: int = 100
) -> io.StringIO:
    output = io.StringIO()
    console = Console(file=output, force_terminal=terminal, width=width, height=height, color_system=None)
    monkeypatch.setattr(module, "console", console)
    monkeypatch.setattr(progress, "console", console)
    return output


def job(folder: Path, failure: str = "") -> SweepJob:
    (folder / "metrics.json").write_text('{"recall@20": 0.5, "mrr@20": 0.2}')
    return SweepJob(folder, [], "id_only", None, None, False, failure)


def test_without_a_terminal_each_change_is_a_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    output = on_console(monkeypatch, terminal=False)
    overview = SweepView(["id_only", "parallel_res"])
    overview.running(0)
    overview.ended(0, job(tmp_path))
    overview.running(1)
    overview.ended(1, job(tmp_path, "out of memory"))
    overview.close()
    assert output.getvalue().splitlines() == [
        "[1/2] id_only: running",
        "[1/2] id_only: done recall@20 0.5000, mrr@20 0.2000",
        "[2/2] parallel_res: running",
        "[2/2] parallel_res: failed out of memory",
    ]


def test_on_a_terminal_every_job_has_a_line_with_the_progress_of_the_running_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    output = on_console(monkeypatch, terminal=True)
    overview = SweepView(["id_only", "parallel_res", "parallel_int"])
    try:
        overview.running(0)
        overview.ended(0, job(tmp_path))
        overview.running(1)
        overview.listen(1)
        with progress.meter("training", 200) as meter:
            meter.update(50, "9,000 events/s", seconds_left=12.0)
    finally:
        overview.close()
    lines = [line.split() for line in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.getvalue()).split("\n")]
    last = [line for line in lines if line][-3:]
    assert [line[:2] for line in last] == [
        ["id_only", "done"],
        ["parallel_res", "running"],
        ["parallel_int", "waiting"],
    ]
    assert " ".join(last[1][2:]) == "training 25% 0:00:12 left 9,000 events/s"


def test_a_low_terminal_shows_the_jobs_around_the_running_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    output = on_console(monkeypatch, terminal=True, height=6)
    overview = SweepView([f"job{number}" for number in range(20)])
    try:
        overview.running(10)
    finally:
        overview.close()
    shown = [line.split()[0] for line in output.getvalue().splitlines() if "job" in line]
    assert "job10" in shown
    assert "job0" not in shown
    assert "16 more" in output.getvalue()


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_job_keeps_its_line_and_its_time_left_however_long_its_name_and_note(
    width: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    output = on_console(monkeypatch, terminal=True, width=width)
    first = "recipe.dropout=0.25 subnets.text.weight=0.5 recipe.learning_rate=0.01 seed"
    view = SweepView([f"{first}=3", f"{first}=4", "[x]"])
    try:
        view.running(0)
        view.ended(0, job(tmp_path, "the loss is not finite, " * 20))
        view.running(1)
        view.listen(1)
        with progress.meter("training", 200) as meter:
            meter.update(50, "phase 1 epoch 1 (id+image) loss 0.95 9,000 events/s", seconds_left=12.0)
    finally:
        view.close()
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.getvalue()).split("\n")
    failed, running, waiting = [line for line in lines if line][-3:]
    assert max(map(len, (failed, running, waiting))) <= width
    assert "seed=3  failed" in failed
    assert "seed=4  running" in running
    assert ("0:00:12 left" in running) == (width > 40)
    assert waiting.split() == ["[x]", "waiting"]


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TERM", "dumb")
    output = on_console(monkeypatch, terminal=True)
    view = SweepView(["id_only"])
    view.running(0)
    view.ended(0, job(tmp_path))
    view.close()
    assert output.getvalue().splitlines() == [
        "[1/1] id_only: running",
        "[1/1] id_only: done recall@20 0.5000, mrr@20 0.2000",
    ]
