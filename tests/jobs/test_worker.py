"""Sweeps under launchers: jobs in processes of their own, whose rows arrive in one table."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from commands.conftest import SMALL, Result
from prnn_cli.jobs.worker import run_in_child_process
from prnn_cli.reporting.sweep_jobs import SweepJob
from prnn_cli.run_folder import RunFolder
from prnn_cli.system.gpus import own_gpu

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]

SWEEP = ["train", "-m", *SMALL, "epochs=1", "hydra.sweep.dir=runs/sweep", "table.figures=false"]
LAUNCHERS = {
    "joblib": ("hydra_plugins.hydra_joblib_launcher", ["hydra.launcher.n_jobs=2"]),
    "submitit_local": ("hydra_plugins.hydra_submitit_launcher", []),
}


def launch(*arguments: str) -> subprocess.CompletedProcess[str]:
    """As a process of its own: what joblib starts imports the main module anew."""
    command = [sys.executable, "-m", "prnn_cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})


@pytest.mark.nightly
@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_rows_and_failures_arrive_in_one_table(workplace: Path, launcher: str) -> None:
    """As those of jobs=2 do, which are tried by day."""
    module, settings = LAUNCHERS[launcher]
    pytest.importorskip(module)
    swept = ["recipe.activation=linear", "recipe.learning_rate=0.05,1e38"]
    result = launch(*SWEEP, f"hydra/launcher={launcher}", *settings, *swept)
    assert result.returncode == 1, result.stderr
    table = Path("runs/sweep/table.md").read_text()
    assert "recipe.learning_rate=0.05" in table
    assert "not finite" in table
    rows = pd.read_csv("runs/sweep/table.csv")
    assert any("0.05" in str(name) for name in rows.iloc[:, 0])


def test_the_nodes_of_a_ray_cluster_share_a_sweep(workplace: Path) -> None:
    """Two nodes of one core each, on this machine; the rows and the failure arrive where the command ran."""
    cluster_utils = pytest.importorskip("ray.cluster_utils")
    pytest.importorskip("hydra_plugins.hydra_ray_launcher")
    cluster = cluster_utils.Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    try:
        cluster.add_node(num_cpus=1)
        swept = ["recipe.activation=linear", "recipe.learning_rate=0.05,1e38"]
        address = f"hydra.launcher.ray.init.address={cluster.address}"
        result = launch(*SWEEP, "hydra/launcher=ray_cluster", address, *swept)
    finally:
        cluster.shutdown()
    assert result.returncode == 1, result.stderr
    table = Path("runs/sweep/table.md").read_text()
    assert "| recipe.learning_rate=0.05 | 0." in table
    assert "not finite" in table


def as_job(failure: str) -> SweepJob:
    return SweepJob(Path("runs/0"), [], "id_only", None, None, False, failure)


def test_what_a_job_comes_to_returns_from_its_process(tmp_path: Path) -> None:
    job = run_in_child_process(lambda: as_job(f"in process {os.getpid()}"), RunFolder(tmp_path), as_job)
    assert job.failure.startswith("in process ")
    assert str(os.getpid()) not in job.failure


def test_a_job_that_is_killed_is_a_failed_job(tmp_path: Path) -> None:
    def killed() -> SweepJob:
        os.kill(os.getpid(), signal.SIGKILL)
        return as_job("")

    assert "exit code -9" in run_in_child_process(killed, RunFolder(tmp_path), as_job).failure


def test_each_job_has_a_gpu_until_all_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "998,999")
    with own_gpu() as first:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "998,999")
        with own_gpu() as second:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "998,999")
            with own_gpu() as third:
                assert (first, second) == ("998", "999")
                assert third in ("998", "999")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "998,999")
    with own_gpu() as again:
        assert (again, os.environ["CUDA_VISIBLE_DEVICES"]) == ("998", "998")
