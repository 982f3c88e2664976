"""Whole trainings on real clicks, whose steps are taken in different ways: docs/tables.md says how equal they are."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from safetensors.torch import load_file

from prnn_cli.run_folder import read_json

OPTIONS = ["arch=parallel", "features=text", "strategy=residual", "epochs=3", "hardware=cpu"]
PLAIN = ["hardware.threads=1", "hardware.compile=never"]
TWO_PROCESSES = ["torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m"]
OF_PARAMETERS, OF_LOSS, OF_METRICS = 1e-4, 1e-6, 1e-3

pytestmark = pytest.mark.nightly


def trained(log: Path, folder: Path, options: list[str], launcher: list[str]) -> Path:
    """The folder of a run in a process of its own, or in those that the launcher starts."""
    options = ["dataset=online_retail", f"dataset.path={log}", "dataset.test_days=7", *OPTIONS, *options]
    command = [sys.executable, "-m", *launcher, "prnn_cli", "train", *options, f"hydra.run.dir={folder}"]
    # Threads that wait in a loop keep each other from the cores of a busy machine.
    subprocess.run(command, check=True, cwd=folder.parent, env=os.environ | {"OMP_WAIT_POLICY": "passive"})
    return folder


@pytest.fixture(scope="module")
def plain(online_retail: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(online_retail, tmp_path_factory.mktemp("runs") / "plain", PLAIN, [])


@pytest.mark.parametrize(
    ("options", "launcher"),
    [
        pytest.param(["hardware.threads=1", "hardware.compile=always"], [], id="compiled"),
        pytest.param(["hardware.threads=2", "hardware.compile=always"], [], id="compiled, two threads"),
        pytest.param(PLAIN, TWO_PROCESSES, id="two processes"),
    ],
)
def test_another_way_to_take_steps_differs_by_rounding(
    options: list[str], launcher: list[str], plain: Path, online_retail: Path, tmp_path: Path
) -> None:
    other = trained(online_retail, tmp_path / "other", options, launcher)
    expected = load_file(plain / "model.safetensors")
    for name, value in load_file(other / "model.safetensors").items():
        difference = (value - expected[name]).abs().max() / expected[name].abs().max()
        assert difference <= OF_PARAMETERS, name
    losses, expected_losses = (pd.read_csv(run / "epochs.csv")["loss"] for run in (other, plain))
    assert losses.tolist() == pytest.approx(expected_losses.tolist(), rel=OF_LOSS)
    metrics, expected_metrics = (read_json(run / "metrics.json") for run in (other, plain))
    for name in ("recall@20", "mrr@20"):
        assert metrics[name] == pytest.approx(expected_metrics[name], abs=OF_METRICS)
    assert metrics["baselines"] == expected_metrics["baselines"]
