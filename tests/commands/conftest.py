"""Runs `prnn` as a user does, in an empty folder and on a log that trains in about a second."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from prnn_cli import extensions
from prnn_cli.cli import main
from prnn_cli.experiment import supervisor
from prnn_cli.experiment.supervisor import Supervisor
from prnn_cli.training.trainer import Progress

SMALL = [
    "dataset.synthetic.num_items=60",
    "dataset.synthetic.num_sessions=400",
    "dataset.synthetic.num_intents=4",
    "dataset.synthetic.num_days=4",
    "arch=id_only",
    "subnets.id.hidden_size=12",
    "recipe.batch_size=16",
    "epochs=2",
    "hardware=cpu",
    "hardware.threads=1",
]


class CutOffError(BaseException):
    """What nothing expects, as little as a kill."""


@dataclass(frozen=True)
class Result:
    exit_code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def workplace(tmp_path: Path, shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty current folder; the cache is shared by the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRNN_CACHE_DIR", str(shared_cache))
    monkeypatch.setenv("PRNN_JOBS", "1")  # pytest has the cores already
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield tmp_path
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def prnn(workplace: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """prnn("train", "epochs=1") in this process."""

    def run(*arguments: str) -> Result:
        capfd.readouterr()
        exit_code = main(arguments)
        return Result(exit_code, *capfd.readouterr())

    return run


def train_in(folder: Path, cache: Path, *arguments: str) -> None:
    """Trains in a folder, for fixtures that several tests share."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PRNN_CACHE_DIR", str(cache))
        assert main(["train", *arguments]) == 0


@pytest.fixture(scope="session")
def _run_of_small(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> Path:
    """A finished run of SMALL, for all tests of this process."""
    folder = tmp_path_factory.mktemp("small")
    train_in(folder, shared_cache, *SMALL, "hydra.run.dir=runs/mine")
    return folder / "runs/mine"


@pytest.fixture
def run_of_small(_run_of_small: Path, workplace: Path) -> Path:
    """runs/mine is a copy of a finished run of SMALL."""
    copied = Path("runs/mine")
    shutil.copytree(_run_of_small, copied)
    return copied


@pytest.fixture
def start_prnn(workplace: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """start_prnn("train", …) as a process of its own, for signals and limits."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, preexec_fn: Callable[[], None] | None = None) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "prnn_cli", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            preexec_fn=preexec_fn,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def cut_off(monkeypatch: pytest.MonkeyPatch, prnn: Callable[..., Result]) -> Callable[..., None]:
    """cut_off(7, "train", …): the run ends at its seventh tick; writing checkpoints may take as long as it does."""
    monkeypatch.setattr(supervisor, "WRITING_SHARE", float("inf"))

    def run(tick: int, *arguments: str) -> None:
        seen = 0
        at_tick = Supervisor.at_tick

        def end(self: Supervisor, progress: Progress) -> None:
            nonlocal seen
            at_tick(self, progress)
            seen += 1
            if seen == tick:
                raise CutOffError

        with monkeypatch.context() as patch:
            patch.setattr(Supervisor, "at_tick", end)
            with pytest.raises(CutOffError):
                prnn(*arguments)

    return run


@pytest.fixture
def forget_extensions() -> Iterator[None]:
    """What a test loads is not there for the next one."""
    yield
    forget()
    extensions._installed.cache_clear()


def forget() -> None:
    """As a new process begins: no file has been named."""
    extensions._files.clear()
    extensions.registered.cache_clear()
    for name in [name for name in sys.modules if name.startswith("prnn_extension_")]:
        del sys.modules[name]


def wait_for(condition: Callable[[], bool], process: object, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.02)


def refusal(result: Result) -> str:
    """The one sentence of a command that was refused."""
    assert result.exit_code == 2
    (sentence,) = [line for line in result.err.splitlines() if line.startswith("prnn: ")]
    assert "Traceback" not in result.err
    return sentence
