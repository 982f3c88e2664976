"""The runs of prnn train that fill a verdict's rows: a process each, several at a time, resumable."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from prnn_cli.run_folder import RunFolder, read_json
from prnn_cli.run_start import ROWS
from prnn_cli.system import forked
from prnn_cli.system.files import write_json
from prnn_cli.verdict.rows import VerdictRun

TRAINED = "trained.json"  # what of the runs a resumption must know
ORPHAN_S = 60.0  # in which what a killed verdict left running has written its checkpoint


@dataclass
class Trainer:
    """Fills rows in `folder`.

    shared: arguments that all runs have; of_part: those of the runs on a part; jobs: trainings at a time
    failures: why runs failed, by their keys; took: seconds that they took; seconds: of all, over all resumptions
    """

    folder: Path
    shared: Sequence[str]
    of_part: Mapping[str, Sequence[str]]
    jobs: int
    failures: dict[str, str] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        forked.begin(self.jobs)
        if (file := self.folder / TRAINED).is_file():
            known = read_json(file)
            self.failures |= known["failures"]
            self.took |= known["took"]
            self.seconds = known["seconds"]

    def _write(self) -> None:
        known = {"seconds": self.seconds, "took": self.took, "failures": self.failures}
        write_json(self.folder / TRAINED, known)

    def folder_of(self, run: VerdictRun) -> RunFolder:
        """The folder of a run."""
        return RunFolder(self.folder / ROWS / run.key)

    def is_finished(self, run: VerdictRun) -> bool:
        return self.folder_of(run).metrics_file.is_file()

    def measured(self, run: VerdictRun, metric: str) -> float | None:
        """The metric of a run; None for one that is not finished."""
        return float(self.folder_of(run).metrics()[metric]) if self.is_finished(run) else None

    @property
    def hours(self) -> float:
        return self.seconds / 3600

    def arguments(self, run: VerdictRun) -> list[str]:
        """What prnn train is given for a run."""
        of_run = [
            f"seed={run.seed}",
            f"features.placebo_seed={run.seed}",
            f"hydra.run.dir={self.folder_of(run).path}",
        ]
        return ["train", *self.shared, *run.row.arguments, *self.of_part[run.part], *of_run, "resume=true"]

    def train(self, runs: Sequence[VerdictRun]) -> Iterator[VerdictRun]:
        """Trains what is not finished yet, and yields each run when it has ended; `failures` says of which it failed.

        Raises `Stopped` after a signal, once the processes have written their checkpoints.
        """
        waiting = [run for run in runs if not self.is_finished(run)]
        yield from (run for run in runs if run not in waiting)
        self._wait_for_orphans(waiting)
        starts = [partial(self._start, run) for run in waiting]
        before, started = self.seconds, time.monotonic()
        try:
            for number, ended in forked.side_by_side(starts, self.jobs):
                self.seconds = before + time.monotonic() - started
                self._note(waiting[number], ended)
                yield waiting[number]
        finally:
            self.seconds = before + time.monotonic() - started
            self._write()

    def _wait_for_orphans(self, runs: Sequence[VerdictRun]) -> None:
        """Waits for trainings that outlived a verdict which was killed: they end after a checkpoint."""
        deadline = time.monotonic() + ORPHAN_S
        while any(self.folder_of(run).is_held() for run in runs) and time.monotonic() < deadline:
            time.sleep(0.2)

    def _log_of(self, run: VerdictRun) -> Path:
        return self.folder / ROWS / f"{run.key}.log"

    def _start(self, run: VerdictRun) -> forked.Child:
        self._log_of(run).parent.mkdir(parents=True, exist_ok=True)
        return forked.start(forked.run_prnn, (self.arguments(run),), self._log_of(run))

    def _note(self, run: VerdictRun, ended: forked.Ended) -> None:
        self.took[run.key] = self.took.get(run.key, 0) + ended.seconds
        self.failures.pop(run.key, None)
        if code := ended.exit_code:
            self.failures[run.key] = why_failed(code, self._log_of(run))
        self._write()


def why_failed(code: int, log: Path) -> str:
    """What a process that ended with an exit code other than 0 said last, or the signal that ended it."""
    if code < 0:
        return f"its process was ended by signal {-code}, 9 mostly for want of memory (jobs=1)"
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.is_file() else []
    said = [line for line in lines if line.startswith("prnn: ")] or lines
    return said[-1].removeprefix("prnn: ") if said else f"exit code {code}"
