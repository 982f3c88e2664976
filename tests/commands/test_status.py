import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.conftest import SMALL, Result
from prnn_cli.run_folder import RunFolder

Prnn = Callable[..., Result]

PROGRESS = {
    "phase": 2,
    "epoch": 3,
    "learning": "text",
    "loss": 0.5,
    "events_done": 250,
    "events_total": 1000,
    "events_per_s": 1234.5,
    "seconds_left": 61.0,
}


def begun(path: str, status: str, **details: object) -> RunFolder:
    folder = RunFolder(Path(path))
    folder.write_status(status, command="train", **details)
    return folder


def test_a_running_run_is_told_of_and_not_disturbed(prnn: Prnn) -> None:
    folder = begun("runs/mine", "running", progress=PROGRESS)
    with folder.held():
        before = {file: file.stat().st_mtime_ns for file in folder.path.iterdir()}
        told = prnn("status", "run=runs/mine").out
        assert {file: file.stat().st_mtime_ns for file in folder.path.iterdir()} == before
    assert "runs/mine: running (prnn train)" in told
    assert "phase 2, epoch 3, text learning" in told
    assert "250 of 1,000 events (25%), 1,234 a second" in told
    assert "0:01:01 left" in told


def test_a_dead_run_is_told_how_to_go_on(prnn: Prnn) -> None:
    begun("runs/mine", "running", progress=PROGRESS)
    told = prnn("status", "run=runs/mine").out
    assert "runs/mine: dead" in told
    assert "resume=true hydra.run.dir=runs/mine" in told


def test_a_sweep_is_told_of_run_by_run(prnn: Prnn) -> None:
    begun("runs/sweep/a", "done")
    begun("runs/sweep/b", "failed", reason="the loss is not finite")
    begun("runs/sweep/c", "running", progress=PROGRESS)  # and nobody holds it
    Path("runs/sweep/multirun.yaml").touch()
    Path("runs/sweep/d").mkdir()
    Path("runs/sweep/d/status.json").write_text("{")
    result = prnn("status", "run=runs/sweep")
    assert result.exit_code == 0
    assert "4 runs begun: 1 done, 1 failed, 1 dead, 1 damaged" in result.out
    assert "resume=true hydra.sweep.dir=runs/sweep" in result.out
    assert "b: the loss is not finite" in result.out


def test_a_long_reason_stands_below_the_table_and_does_not_widen_it(prnn: Prnn) -> None:
    begun("runs/sweep/a", "done")
    begun("runs/sweep/b", "failed", reason="the loss is not finite, " * 20)
    title, *table = prnn("status", "run=runs/sweep").out.splitlines()
    below = table.index("")
    assert title == "runs/sweep"
    assert max(map(len, table[:below])) < 100
    assert ("the loss is not finite, " * 20).strip() in "\n".join(table[below:])


def test_a_clock_that_was_set_back_does_not_confuse(prnn: Prnn) -> None:
    folder = begun("runs/mine", "failed")
    status = json.loads(folder.status_file.read_text())
    folder.status_file.write_text(json.dumps(status | {"updated": time.time() + 1e6}))
    assert "last heard of 0:00:00 ago" in prnn("status", "run=runs/mine").out


def test_a_run_resumes_though_the_clock_was_set_back(prnn: Prnn, run_of_small: Path) -> None:
    for file in run_of_small.rglob("*"):
        os.utime(file, (time.time() + 1e6,) * 2)
    (run_of_small / "metrics.json").unlink()
    assert prnn("train", *SMALL, "hydra.run.dir=runs/mine", "resume=true").exit_code == 0


@pytest.mark.parametrize("path", ["nowhere", "empty"])
def test_a_folder_without_runs_is_refused(path: str, prnn: Prnn) -> None:
    Path("empty").mkdir()
    result = prnn("status", f"run={path}")
    assert result.exit_code == 2
    assert f"run={path} is not the folder of a run" in result.err


def test_single_runs_are_not_advised_as_a_sweep_would_be(prnn: Prnn) -> None:
    diverging = ["recipe.activation=linear", "recipe.learning_rate=1e38"]
    for name in ("a", "b"):
        prnn("train", *SMALL, *diverging, f"hydra.run.dir=runs/{name}")
    told = prnn("status", "run=runs").out
    assert "2 runs begun: 2 failed" in told
    assert "hydra.sweep.dir" not in told
