"""`torchrun … -m prnn_cli train` with two processes on the CPU, against one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TypeVar

import pytest
import torch
from safetensors.torch import load_file

from commands.conftest import SMALL, Result, refusal
from prnn_cli.run_folder import read_json
from prnn_cli.system.distributed import ProcessGroup, substituted

pytest_plugins = ["commands.conftest"]
pytestmark = pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch is built without it")

T = TypeVar("T")
PARALLEL = [*SMALL, "arch=parallel", "strategy=residual", "subnets.text.hidden_size=12", "epochs=1"]


def started(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    return subprocess.Popen(
        [*command, "-m", "prnn_cli", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finished(*arguments: str) -> tuple[int, str, str]:
    process = started(*arguments)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def parameters(folder: str) -> dict[str, torch.Tensor]:
    return load_file(Path(folder) / "model.safetensors")


def test_two_processes_find_what_one_finds(prnn: Callable[..., Result]) -> None:
    given = [*PARALLEL, "recipe.num_sampled=8", "subnets.id.dropout=0.2", "dataset.validation_days=1"]
    assert prnn("train", *given, "hydra.run.dir=one").exit_code == 0
    exit_code, out, err = finished("train", *given, "hydra.run.dir=two")
    assert exit_code == 0, err
    assert out.count("Gains over Item-kNN") == 1
    one, two = read_json(Path("one/metrics.json")), read_json(Path("two/metrics.json"))
    assert two["train"]["processes"] == 2
    assert two["num_test_events"] == one["num_test_events"]
    assert two["baselines"] == one["baselines"]
    assert abs(two["mrr@20"] - one["mrr@20"]) < 1e-3
    for name, value in parameters("one").items():
        torch.testing.assert_close(parameters("two")[name], value, rtol=1e-3, atol=1e-4)
    assert sorted(path.name for path in Path().glob("*")) == ["one", "two"]


@pytest.mark.nightly
def test_a_run_of_two_that_is_stopped_goes_on_to_the_same_bits(
    prnn: Callable[..., Result],
) -> None:
    given = [*PARALLEL, "epochs=8", "checkpoint.every_s=0"]
    process = started_until_checkpoint("train", *given, folder="stopped")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert "resume=true" in err
    assert finished("train", *given, "hydra.run.dir=stopped", "resume=true")[0] == 0
    assert finished("train", *given, "hydra.run.dir=whole")[0] == 0
    for name, value in parameters("whole").items():
        assert torch.equal(parameters("stopped")[name], value)


@pytest.mark.nightly
def test_a_lost_process_ends_the_run_with_a_sentence_and_the_checkpoint_goes_on(
    prnn: Callable[..., Result],
) -> None:
    given = [*PARALLEL, "epochs=10", "checkpoint.every_s=0"]
    process = started_until_checkpoint("train", *given, folder="run")
    os.kill(second_of(process), signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "another process of this run is gone" in err
    assert "resume=true hydra.run.dir=" in err
    assert prnn("train", *given, "hydra.run.dir=run", "resume=true").exit_code == 0  # by one process


REFUSED = [
    (["train", "recipe.batch_size=17"], "recipe.batch_size=17 cannot be divided among 2 processes"),
    (["train", "seed=1,2", "-m"], "torchrun divides one run"),
    (["preprocess"], "torchrun is for prnn train"),
]


class OfTwo(ProcessGroup):
    """One of two processes, the other of which would say the same."""

    def initialised(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()

    def broadcast(self, value: T) -> T:
        return value

    def all_gather(self, value: T) -> list[T]:
        return [value, value]


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED)
def test_what_cannot_be_divided_is_a_sentence(
    prnn: Callable[..., Result], arguments: list[str], sentence: str
) -> None:
    with substituted(OfTwo(rank=0, local_rank=0, world_size=2)):
        assert sentence in refusal(prnn(*arguments))


@pytest.mark.nightly
@pytest.mark.parametrize(("arguments", "sentence"), REFUSED)
def test_what_cannot_be_divided_is_a_sentence_under_torchrun(
    workplace: Path, arguments: list[str], sentence: str
) -> None:
    exit_code, _, err = finished(*arguments)
    assert exit_code != 0
    assert sentence in err


def started_until_checkpoint(*arguments: str, folder: str) -> subprocess.Popen[str]:
    process, until = started(*arguments, f"hydra.run.dir={folder}"), time.monotonic() + 60
    while not Path(folder, "checkpoint/state.safetensors").exists():
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    return process


def second_of(torchrun: subprocess.Popen[str]) -> int:
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            environment, parent = (
                path.read_bytes(),
                path.with_name("stat").read_text().rsplit(")")[1].split()[1],
            )
        except OSError:
            continue
        if int(parent) == torchrun.pid and b"\0RANK=1\0" in environment:
            return int(path.parent.name)
    raise AssertionError("no second process")
