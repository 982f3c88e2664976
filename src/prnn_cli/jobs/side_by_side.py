"""Jobs of a sweep in processes of their own, several at a time: same bits, signals and table as one after the other."""

import io
import logging
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from hydra.core.utils import configure_log, run_job, setup_globals
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf, open_dict

from prnn_cli.errors import Stopped
from prnn_cli.experiment.forecast import timed_before
from prnn_cli.experiment.memory import MEMORY, MEMORY_SHARE, free_memory
from prnn_cli.jobs.job import JobRunner, sweep_job
from prnn_cli.jobs.sweep_view import SweepView
from prnn_cli.jobs.worker import note_death
from prnn_cli.reporting.sweep_jobs import SweepJob, differing_overrides
from prnn_cli.run_folder import RunFolder, read_json
from prnn_cli.system import forked, progress
from prnn_cli.system.cores import threads_each
from prnn_cli.system.signals import stop_signal

NOTE, SAID, RESULT = "note", "said", "result"  # what a job tells, beside its MEMORY
NOTE_EVERY_S = 0.2
SIGNALS = 128  # exit codes above it are of a process that ended by a signal in its own way
ERROR = re.compile(r"[\w.]*(Error|Exception)\b|Fatal|terminate called")
DIR, SUBDIR = "hydra.sweep.dir", "hydra.sweep.subdir"


@dataclass
class JobsSideBySide:
    """The jobs of one launch, by their numbers from 0.

    overrides: of each job; first: the number that Hydra gives to the first
    configs: of those that were started; ended: what came of those that have ended
    peaks: the bytes that jobs take, of those that have said so
    """

    runner: JobRunner
    context: HydraContext
    config: DictConfig
    overrides: Sequence[Sequence[str]]
    first: int
    configs: dict[int, DictConfig] = field(default_factory=dict)
    ended: dict[int, SweepJob] = field(default_factory=dict)
    peaks: dict[int, int] = field(default_factory=dict)

    def run(self) -> list[SweepJob]:
        """Runs them all, and returns what came of each. Raises `Stopped` once all have written their checkpoints."""
        setup_globals()
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        sweep = self.runner.sweep
        Path(str(OmegaConf.select(self.config, DIR))).mkdir(parents=True, exist_ok=True)
        self._free, self._view = free_memory(), SweepView(self._names())
        with tempfile.TemporaryDirectory(prefix="prnn-sweep-") as folder, self._stop_explained():
            outputs = [Path(folder) / str(number) for number in range(len(self.overrides))]
            starts = [partial(self._start, number, output) for number, output in enumerate(outputs)]
            for number, ended in forked.side_by_side(starts, sweep.at_a_time, self._hear, self._has_room):
                self._end(number, ended, outputs[number])
        jobs = [self.ended[number] for number in range(len(self.overrides))]
        known = self.runner.forecasts  # by the ends of the jobs
        self.runner.forecasts = {name: known[name] for name in self._names() if name in known}
        self.runner.take(jobs)
        return jobs

    def _names(self) -> list[str]:
        if self.runner.sweep.names:
            return self.runner.sweep.names
        if self.runner.sweep.plan:
            return [name or "trial" for name in differing_overrides(self.overrides)]
        return [f"trial {self.first + number}" for number in range(len(self.overrides))]

    def _start(self, number: int, output: Path) -> forked.Child:
        config = self.context.config_loader.load_sweep_config(self.config, list(self.overrides[number]))
        with open_dict(config):
            config.hydra.job.num = config.hydra.job.id = self.first + number
            if self.runner.sweep.plan:
                config.plan = str(_plan_file(output))
        self.configs[number] = config
        self._view.running(number)
        arguments = (self.context, replace(self.runner, is_child=True), config, self._baselines_timed())
        return forked.start(_run, arguments, output)

    def _baselines_timed(self) -> dict[str, float]:
        """The seconds of the baselines that a plan has timed so far, which all jobs share."""
        ended = self.runner.forecasts.values()
        return {file: seconds for each in ended for file, seconds in each.get("baselines", {}).items()}

    def _hear(self, number: int, what: str, value: Any) -> None:
        if what == NOTE:
            self._view.note(number, value)
        elif what == SAID:
            self._view.said(number, value)
        elif what == MEMORY:
            self.peaks[number] = value
        elif what == RESULT:
            self.ended[number] = value

    def _has_room(self, running: int) -> bool:
        """Whether the memory holds one more job like the largest, once all have said how large they are."""
        if not self.runner.sweep.fits_memory or self._free is None:
            return True
        if self.configs.keys() - self.ended.keys() - self.peaks.keys():
            return False
        return (running + 1) * max(self.peaks.values(), default=0) <= MEMORY_SHARE * self._free

    def _end(self, number: int, ended: forked.Ended, output: Path) -> None:
        """Shows what came of a job; of one that died, notes it, and what it said last."""
        if number not in self.ended:
            config = self.configs[number]
            folder = _folder_of(config)
            # A job that a signal has stopped says itself what became of it.
            failure = folder.why_unfinished() if ended.exit_code > SIGNALS else ""
            failure = failure or note_death(folder, ended.exit_code, _last_words(output))
            self.ended[number] = sweep_job(config, config.hydra, folder.path, failure)
        self._view.ended(number, self.ended[number])
        if self.runner.sweep.plan:
            failure = self.ended[number].failure
            forecast = {"failure": failure} if failure else read_json(_plan_file(output))
            self.runner.forecasts[self._names()[number]] = forecast

    @contextmanager
    def _stop_explained(self) -> Iterator[None]:
        """Closes the view, and says how to go on after a signal."""
        try:
            yield
        except Stopped as stop:
            self._view.stop()
            if self.runner.sweep.plan or not self.configs:
                raise
            first = _folder_of(self.configs[min(self.configs)])
            raise Stopped(stop.exit_code - 128, f"stopped; {first.how_to_resume}") from stop
        finally:
            self._view.close()


def _run(
    context: HydraContext, runner: JobRunner, config: DictConfig, baselines_timed: Mapping[str, float]
) -> None:
    """Runs a job, as the work of a process, and tells what came of it."""
    timed_before.update(baselines_timed)
    logging.raiseExceptions = False
    stop_signal.install()
    setup_globals()
    progress.console.file = _Telling()
    progress.hand_over(_notes_told())
    threads = threads_each(runner.sweep.at_a_time)
    torch.set_num_threads(min(threads, torch.get_num_threads()))
    try:
        ran = run_job(runner.run, config, DIR, SUBDIR, context)
    except Stopped as stop:
        sys.exit(stop.exit_code)
    forked.tell(RESULT, ran.return_value)


def _notes_told() -> Callable[[str], None]:
    """Takes the notes of the job's progress, and tells some of them a second."""
    told = float("-inf")

    def tell(note: str) -> None:
        nonlocal told
        if (now := time.monotonic()) - told >= NOTE_EVERY_S:
            told = now
            forked.tell(NOTE, note)

    return tell


class _Telling(io.StringIO):
    """Tells what is written to the console, warnings for instance, by lines."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = ""

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            forked.tell(SAID, line)
        return len(text)


def _folder_of(config: DictConfig) -> RunFolder:
    return RunFolder(Path(str(OmegaConf.select(config, DIR))) / str(OmegaConf.select(config, SUBDIR)))


def _plan_file(output: Path) -> Path:
    return output.with_suffix(".json")


def _last_words(output: Path) -> str:
    """The last error that a process printed; empty for none: what else it printed is no reason for its end."""
    lines = output.read_text(encoding="utf-8", errors="replace").splitlines() if output.is_file() else []
    return next((line.strip() for line in reversed(lines) if ERROR.match(line)), "")
