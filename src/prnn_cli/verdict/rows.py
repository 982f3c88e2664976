"""The rows of a verdict, and the runs of prnn train that fill them: a process each, several at a time, resumable."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from prnn_cli.errors import Stopped
from prnn_cli.run_folder import RunFolder
from prnn_cli.run_start import ROWS

PLACEBOS = {
    "shuffled": "other items' features",
    "noise": "noise for features",
    "constant": "one item's features for all",
    "ids": "a second network of IDs",
}
HOLD_OUT, TEST = "validation", "test"


@dataclass(frozen=True)
class VerdictRow:
    """A network that a verdict trains. name: for people; key: of its folders; overrides: of prnn train"""

    name: str
    key: str
    overrides: tuple[str, ...]
    has_features: bool = False


def id_rows(units: int, epochs: int, chooses_epochs: bool) -> list[VerdictRow]:
    """The networks of IDs alone: as many units as a subnet of the p-RNN has, twice as many, and twice the epochs where
    their number is given, so that one has as many parameters, and one as many updates, as the p-RNN."""
    plain = ("row=id_only", f"units.id={units}")
    rows = [
        VerdictRow("ID only", "id_only", plain),
        VerdictRow(f"ID only, {2 * units} units", "id_only_wide", ("row=id_only", f"units.id={2 * units}")),
    ]
    if not chooses_epochs:
        rows.append(
            VerdictRow(f"ID only, {2 * epochs} epochs", "id_only_long", (*plain, f"epochs={2 * epochs}"))
        )
    return rows


def feature_row(config: str, label: str) -> VerdictRow:
    """The p-RNN of a config in configs/row/."""
    return VerdictRow(label, f"{config}_with_features", (f"row={config}",), has_features=True)


def placebo_rows(row: VerdictRow) -> list[VerdictRow]:
    """The same p-RNN with each of the placebos."""
    return [
        VerdictRow(f"{row.name}, {told}", f"{row.key}_{kind}", (*row.overrides, f"features.placebo={kind}"))
        for kind, told in PLACEBOS.items()
    ]


@dataclass(frozen=True)
class VerdictRun:
    """A training of a row: on the hold-out or the test part, with a seed."""

    row: VerdictRow
    part: str
    seed: int

    @property
    def key(self) -> str:
        """The name of its folder."""
        return f"{self.row.key}-{self.part}-seed{self.seed}"


@dataclass
class Trainer:
    """Fills rows in `folder`.

    shared: arguments that all runs have; of_part: those of the runs on a part; failures: why runs failed, by their keys
    """

    folder: Path
    shared: Sequence[str]
    of_part: Mapping[str, Sequence[str]]
    jobs: int
    failures: dict[str, str] = field(default_factory=dict)

    def folder_of(self, run: VerdictRun) -> RunFolder:
        """The folder of a run."""
        return RunFolder(self.folder / ROWS / run.key)

    def train(self, runs: Sequence[VerdictRun]) -> Iterator[VerdictRun]:
        """Trains what is not finished yet, and yields each run when it has ended; `failures` says of which it failed.

        Raises `Stopped` after a signal, once the processes have written their checkpoints.
        """
        waiting = [run for run in runs if not self.folder_of(run).metrics_file.is_file()]
        yield from (run for run in runs if run not in waiting)
        running: dict[VerdictRun, subprocess.Popen[bytes]] = {}
        try:
            while waiting or running:
                while waiting and len(running) < self.jobs:
                    run = waiting.pop(0)
                    running[run] = self._start(run)
                for run in [run for run, process in running.items() if process.poll() is not None]:
                    self._note_failure(run, running.pop(run).returncode)
                    yield run
                time.sleep(0.1)
        except Stopped as stop:
            raise Stopped(stop.exit_code - 128, f"stopped; {RunFolder(self.folder).how_to_resume}") from stop
        finally:
            _end(list(running.values()))

    def _start(self, run: VerdictRun) -> "subprocess.Popen[bytes]":
        folder = self.folder_of(run).path
        folder.parent.mkdir(parents=True, exist_ok=True)
        of_run = [f"seed={run.seed}", f"features.placebo_seed={run.seed}", f"hydra.run.dir={folder}"]
        arguments = [
            "train",
            *self.shared,
            *run.row.overrides,
            *self.of_part[run.part],
            *of_run,
            "resume=true",
        ]
        with (folder.parent / f"{run.key}.log").open("ab") as said:
            return subprocess.Popen(
                [sys.executable, "-m", "prnn_cli", *arguments],
                stdout=said,
                stderr=said,
                stdin=subprocess.DEVNULL,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                start_new_session=True,  # a signal at the terminal comes by this process alone
            )

    def _note_failure(self, run: VerdictRun, code: int) -> None:
        if code < 0:
            self.failures[run.key] = (
                f"its process was ended by signal {-code}, 9 mostly for want of memory (jobs=1)"
            )
        elif code != 0:
            lines = (self.folder / ROWS / f"{run.key}.log").read_text(encoding="utf-8").strip().splitlines()
            reason = lines[-1].removeprefix("prnn: ") if lines else f"exit code {code}"
            self.failures[run.key] = reason


def _end(processes: "Sequence[subprocess.Popen[bytes]]") -> None:
    """Ends processes, which write a checkpoint at the end of a tick first; kills what takes more than a minute."""
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(60)
        except (subprocess.TimeoutExpired, Stopped):
            process.kill()
