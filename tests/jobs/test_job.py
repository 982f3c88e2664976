"""What a job that fails, or is refused, leaves behind."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.conftest import SMALL, Result
from prnn_cli.run_folder import RunFolder

RUN = "hydra.run.dir=runs/mine"

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]


def test_a_refused_run_leaves_no_folder_that_nobody_named(prnn: Prnn) -> None:
    """What was wrong stands on the console; a folder that was named says it too."""
    missing = ["train", "dataset=generic", "dataset.path=nope.csv", "arch=id_only"]
    assert prnn(*missing).exit_code == 2
    assert not list(Path("runs").glob("*"))
    dated = "runs/2026-03-01_10-00-00-000000_mine"
    assert prnn(*missing, f"hydra.run.dir={dated}").exit_code == 2
    for command in (("status", f"run={dated}"), ("preprocess", *missing[1:3], f"hydra.run.dir={dated}")):
        prnn(*command)
        assert RunFolder(Path(dated)).status()["status"] == "failed"


def test_a_folder_of_a_refused_run_is_free_again(prnn: Prnn) -> None:
    refused = prnn("train", *SMALL[4:], "dataset=generic", "dataset.path=nope.csv", RUN)
    assert refused.exit_code == 2
    assert prnn("train", *SMALL, "epochs=1", RUN).exit_code == 0


def test_a_failure_stands_in_the_runs_log(prnn: Prnn) -> None:
    prnn("train", *SMALL[4:], "dataset=generic", "dataset.path=nope.csv", RUN)
    assert "failed: dataset.path=nope.csv does not exist" in Path("runs/mine/train.log").read_text()


def test_a_closed_pipe_does_not_make_a_finished_run_a_failed_one(
    prnn: Prnn, start_prnn: Callable[..., object]
) -> None:
    process = start_prnn("train", *SMALL, "epochs=1", RUN)
    process.stdout.close()
    assert process.wait(timeout=60) == 128 + signal.SIGPIPE  # nobody reads the output
    assert "Traceback" not in process.stderr.read()
    assert prnn("status", "run=runs/mine").out.splitlines()[0] == "runs/mine: done (prnn train)"


def test_a_job_that_fails_does_not_stop_the_others(prnn: Prnn) -> None:
    rates = ["recipe.activation=linear", "recipe.learning_rate=0.05,1e38", "table.figures=false"]
    result = prnn("train", "-m", *SMALL, "epochs=1", *rates, "hydra.sweep.dir=runs/sweep")
    failed = prnn("status", "run=runs/sweep/1").out
    assert result.exit_code == 1
    assert "job 1 failed" in result.err
    assert "failed" in failed
    assert Path("runs/sweep/0/metrics.json").is_file()
    assert Path("runs/sweep/table.md").is_file()


def test_a_wrong_configuration_leaves_no_folder(prnn: Prnn) -> None:
    assert prnn("train", "epochs=0", "hydra.run.dir=runs/mine").exit_code == 2
    assert not Path("runs/mine").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_folder_is_named(prnn: Prnn) -> None:
    Path("locked").mkdir(mode=0o500)
    result = prnn("train", "hydra.run.dir=locked/mine")
    assert result.exit_code == 1
    assert "locked/mine" in result.err


def test_an_output_folder_below_a_file_is_named(prnn: Prnn) -> None:
    Path("file").write_text("")
    result = prnn("train", "hydra.run.dir=file/mine")
    assert result.exit_code == 1
    assert "file/mine" in result.err
    assert "Traceback" not in result.err
