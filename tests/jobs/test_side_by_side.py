"""Sweeps on this machine, several jobs at a time: as one after the other, but for the time that it takes."""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from commands.conftest import SMALL, Result, wait_for
from prnn_cli.experiment.memory import MEMORY
from prnn_cli.jobs import side_by_side
from prnn_cli.jobs.side_by_side import JobsSideBySide
from prnn_cli.jobs.sweep import Sweep
from prnn_cli.run_folder import RunFolder

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]

SWEEP = ["train", "-m", *SMALL, "epochs=1", "table.figures=false"]
LONG = ["train", "-m", *SMALL, "epochs=100000", "seed=1,2", "jobs=2", "hydra.sweep.dir=runs/sweep"]


def same_bits(one: Path, other: Path) -> bool:
    names = ("model.safetensors", "ranks.parquet")
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


def test_jobs_side_by_side_end_with_the_bits_and_the_table_of_jobs_in_a_row(prnn: Prnn) -> None:
    in_a_row = prnn(*SWEEP, "seed=1,2,3", "jobs=1", "hydra.sweep.dir=runs/one")
    at_once = prnn(*SWEEP, "seed=1,2,3", "jobs=2", "hydra.sweep.dir=runs/two")
    assert (in_a_row.exit_code, at_once.exit_code) == (0, 0), at_once.err
    assert "2 at a time" in at_once.err
    assert all(same_bits(Path(f"runs/one/{job}"), Path(f"runs/two/{job}")) for job in range(3))
    assert in_a_row.out.replace("runs/one", "runs/two") == at_once.out


def test_a_job_that_fails_is_a_row_beside_the_others(prnn: Prnn) -> None:
    rates = ["recipe.activation=linear", "recipe.learning_rate=0.05,1e38"]
    result = prnn(*SWEEP, *rates, "training.on_divergence=stop", "jobs=2", "hydra.sweep.dir=runs/sweep")
    assert result.exit_code == 1
    table = Path("runs/sweep/table.md").read_text()
    assert "| recipe.learning_rate=0.05 | 0." in table
    assert "not finite" in table


@pytest.mark.nightly
def test_a_job_whose_process_dies_says_so_and_the_others_go_on(start_prnn: Callable[..., object]) -> None:
    sweep = start_prnn(*LONG)
    folders = [RunFolder(Path(f"runs/sweep/{job}")) for job in range(2)]
    wait_for(lambda: all("progress" in status_of(folder) for folder in folders), sweep)
    os.kill(int(folders[0].status()["pid"]), signal.SIGKILL)
    wait_for(lambda: status_of(folders[0]).get("status") == "failed", sweep)
    assert folders[1].status()["status"] == "running"
    sweep.send_signal(signal.SIGTERM)
    _, said = sweep.communicate(timeout=60)
    assert sweep.returncode == 128 + signal.SIGTERM
    assert "exit code -9" in folders[0].status()["reason"]
    assert "resume=true hydra.sweep.dir=" in said
    assert "Traceback" not in said
    assert folders[1].checkpoint_file.is_file()


def status_of(folder: RunFolder) -> dict[str, object]:
    return folder.status() if folder.is_begun() else {}


@pytest.mark.nightly
def test_a_signal_stops_all_jobs_with_checkpoints_from_which_they_go_on(
    start_prnn: Callable[..., object], prnn: Prnn
) -> None:
    of_three = ["train", "-m", *SMALL, "epochs=3", "jobs=2", "table.figures=false"]
    whole = prnn(*of_three, "seed=1,2", "hydra.sweep.dir=runs/whole")
    assert whole.exit_code == 0, whole.err
    sweep = start_prnn(*of_three, "seed=1,2", "hydra.sweep.dir=runs/sweep", "checkpoint.every_s=0")
    begun = [RunFolder(Path(f"runs/sweep/{job}")) for job in range(2)]
    wait_for(lambda: all(folder.checkpoint_files for folder in begun), sweep)
    sweep.send_signal(signal.SIGINT)
    _, said = sweep.communicate(timeout=60)
    if sweep.returncode:  # else it was done before
        assert sweep.returncode == 128 + signal.SIGINT, said
    resumed = prnn(*of_three, "seed=1,2", "resume=true", "hydra.sweep.dir=runs/sweep")
    assert resumed.exit_code == 0, resumed.err
    assert all(same_bits(Path(f"runs/whole/{job}"), Path(f"runs/sweep/{job}")) for job in range(2))


@pytest.mark.nightly
def test_trials_side_by_side_are_those_of_one_after_the_other(prnn: Prnn) -> None:
    """As jobs of a sweep are, which are tried by day; and what a trial reports does not depend on its neighbour."""
    pytest.importorskip("optuna")
    search = ["train", *SMALL, "search=id_only", "search.trials=3", "epochs=1", "dataset.min_ranked_events=1"]
    for jobs in (1, 2):
        found = prnn(*search, f"jobs={jobs}", f"search.folder=runs/tuned{jobs}")
        assert found.exit_code == 0, found.err
    trials = [pd.read_csv(f"runs/tuned{jobs}/id_only/trials.csv") for jobs in (1, 2)]
    pd.testing.assert_frame_equal(*trials)


@pytest.mark.parametrize(
    ("told", "running", "fits"),
    [
        ({}, 1, False),  # the first has not said yet what it takes
        ({0: 4_000}, 1, True),  # 2 × 4,000 of the 80 % of 12,000 that are free
        ({0: 4_000, 1: 4_500}, 2, False),
        ({0: 4_000, 1: 1_000}, 2, False),  # as large as the largest
        ({0: 3_000, 1: 1_000}, 2, True),
    ],
)
def test_a_job_starts_where_memory_holds_one_more(told: dict[int, int], running: int, fits: bool) -> None:
    jobs = JobsSideBySide(SimpleNamespace(sweep=Sweep(at_a_time=4)), None, None, [[]] * 4, 0)
    jobs._free = 12_000
    jobs.configs = dict.fromkeys(range(running))
    for number, value in told.items():
        jobs._hear(number, MEMORY, value)
    assert jobs._has_room(running) is fits
    jobs.runner.sweep = replace(jobs.runner.sweep, fits_memory=False)
    assert jobs._has_room(running), "jobs=N asks for so many"


def test_the_last_error_that_a_process_printed_is_its_last_word(tmp_path: Path) -> None:
    output = tmp_path / "0"
    assert side_by_side._last_words(output) == ""
    output.write_text("mine.py:3: UserWarning: slow\n  ran = run_job(…)\n")
    assert side_by_side._last_words(output) == ""
    output.write_text("Traceback …\n  File …\ntorch.OutOfMemoryError: 3 GB\n\n")
    assert side_by_side._last_words(output) == "torch.OutOfMemoryError: 3 GB"
