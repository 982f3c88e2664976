"""The running of a command on composed configurations: once, or as the jobs of a sweep."""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from prnn_cli import extensions, schema
from prnn_cli.commands import Command, command_of
from prnn_cli.errors import Pruned, RunError, UserError
from prnn_cli.experiment.dataset_paths import with_paths_from_files
from prnn_cli.experiment.settings import typed_settings
from prnn_cli.experiment.split_options import check_split_options
from prnn_cli.jobs.failures import failures_recorded, resources_explained, resumption_explained
from prnn_cli.jobs.sweep import Sweep
from prnn_cli.jobs.sweep_plan import tell_plan
from prnn_cli.jobs.sweep_view import SweepView
from prnn_cli.jobs.worker import run_in_child_process
from prnn_cli.reporting.sweep_jobs import SweepJob
from prnn_cli.run_folder import RunFolder
from prnn_cli.run_start import begin_run, discard_idle, discard_log
from prnn_cli.system.distributed import process_group

log = logging.getLogger(__name__)


@dataclass
class JobRunner:
    """Runs the one job of a command, or those of a sweep: Hydra calls `run` for each, and `finish` ends them all.

    Failures are kept for `finish`: an exception that reached Hydra would be reported in Hydra's own way, and would end
    a sweep without the results of its other jobs. A launcher's processes unpickle this, on other machines too: relative
    paths then begin at `workplace`, and `extension_files` are loaded there.

    forecasts: what the jobs of a sweep that is planned will take, by their names, or why they cannot run
    is_child: it has a process of its own, of which only the job that it returns is seen
    ended: the jobs of a sweep of training that have been run; table: how `finish` shows them
    is_unread: the reader of the output has gone, before what is printed last
    """

    command: str
    sweep: Sweep = field(default_factory=Sweep)
    is_sweep: bool = False
    is_child: bool = False
    is_unread: bool = False
    ended: list[SweepJob] = field(default_factory=list)
    forecasts: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: list[UserError | RunError] = field(default_factory=list)
    view: SweepView | None = None
    table: schema.TableConfig | None = None
    workplace: str = field(default_factory=os.getcwd)
    extension_files: list[str] = field(default_factory=extensions.files)

    def run(self, config: DictConfig) -> SweepJob | None:
        """Runs one job as Hydra has composed it. Returns the job of a training, which a sweep makes a row of."""
        self.is_sweep = HydraConfig.get().mode == RunMode.MULTIRUN
        folder = Path(HydraConfig.get().runtime.output_dir)
        if self.sweep.launched or self.is_child:
            os.chdir(self.workplace)
            for file in self.extension_files:
                extensions.add_file(file)
        as_job = partial(sweep_job, config, HydraConfig.get(), folder)
        if self.is_child:
            return as_job(self._attempt(config, folder))
        if self.sweep.launched:
            return run_in_child_process(
                lambda: as_job(self._attempt(config, folder)), RunFolder(folder), as_job
            )
        with self._viewed(folder):
            failure = self._attempt(config, folder)
            if self.command == "train":
                self.ended.append(as_job(failure))
        return self.ended[-1] if self.ended else None

    def needs_processes(self, num_jobs: int) -> bool:
        """Whether so many jobs have processes of their own on this machine: some side by side, or for their plan."""
        return bool(self.sweep.plan) or (self.sweep.at_a_time > 1 and num_jobs > 1)

    def take(self, jobs: Sequence[SweepJob]) -> None:
        """Takes jobs of a sweep of training that others have run."""
        self.is_sweep = True
        self.ended += jobs
        self.failures += [RunError(job.failure) for job in jobs if job.failure]

    def _attempt(self, config: DictConfig, folder: Path) -> str:
        """Runs the job, and returns why it failed; empty where it did not."""
        try:
            with resources_explained():
                self._run(config, RunFolder(folder))
        except (UserError, RunError) as error:
            # Without its traceback, which would keep the failed network in memory.
            self.failures.append(type(error)(str(error)))
            if self.is_sweep:
                log.error("job %s failed: %s", HydraConfig.get().job.num, error)
            with suppress(OSError):
                # Hydra made the folder before it called; one that holds anything stays.
                folder.rmdir()
            return str(error)
        except Pruned as pruned:
            log.info("%s", pruned)
        except BrokenPipeError:  # Hydra would report it
            self.is_unread = True
        return ""

    @contextmanager
    def _viewed(self, folder: Path) -> Iterator[None]:
        """Shows one line a job while a sweep of training runs."""
        if not (self.is_sweep and self.sweep.names and self.command == "train"):
            yield
            return
        number = HydraConfig.get().job.num
        self.view = self.view or SweepView(self.sweep.names)
        self.view.running(number)
        self.view.listen(number)
        try:
            yield
        except BaseException:  # a signal
            self.view.stop()
            raise
        self.view.ended(number, self.ended[-1])
        if len(self.ended) == len(self.sweep.names):
            self.view.close()

    def _run(self, config: DictConfig, folder: RunFolder) -> None:
        config = with_paths_from_files(config, HydraConfig.get())
        settings = checked_settings(self.command, config, HydraConfig.get().overrides.task)
        self.table = getattr(settings, "table", None)
        command = command_of(self.command)
        is_planned = bool(getattr(settings, "plan", False))
        if is_planned or not command.writes:
            try:
                command.run(settings, folder)
            finally:
                if is_planned:
                    discard_log(folder, self.command)
            return
        try:
            self._run_in(folder, command, settings, config)
        except UserError:
            self._discard_unnamed(folder)
            raise
        self._discard_unnamed(folder)

    def _discard_unnamed(self, folder: RunFolder) -> None:
        """Removes the folder of a single run that holds no work, unless the user has named it."""
        is_named = any(
            each.lstrip("+").startswith("hydra.run.dir=") for each in HydraConfig.get().overrides.hydra
        )
        if not (self.is_sweep or is_named):
            discard_idle(folder)

    def _run_in(self, folder: RunFolder, command: Command, settings: Any, config: DictConfig) -> None:
        run_in(folder, self.command, command, settings, config, HydraConfig.get(), self.is_sweep)
        if process_group().is_main and not self.is_sweep:
            command.show_result(folder)

    def finish(self) -> int:
        """Shows the table of a sweep, and returns the exit code.

        Raises the failure of a single job, `BrokenPipeError` where nobody reads the output.
        """
        for job in self.sweep.jobs:
            failure = RunFolder(job.folder).why_unfinished()
            self.ended.append(replace(job, failure=failure))
            self.failures += [RunError(failure)] if failure else []
            self.is_sweep = True
        if self.failures and not self.is_sweep:
            raise self.failures[0]
        if self.is_unread:
            raise BrokenPipeError
        if self.sweep.plan:
            tell_plan(self.sweep, self.forecasts)
            return 1 if self.failures else 0
        if self.sweep.searches:
            return 0
        if (table := self.sweep.table or self.table) and self.is_sweep and self.ended:
            from prnn_cli.reporting.report import report_sweep

            log.info("comparing %d runs: table, figures, summary.html", len(self.ended))
            report_sweep(self.ended, table)
        return 1 if self.failures else 0


def run_in(
    folder: RunFolder,
    name: str,
    command: Command,
    settings: Any,
    config: DictConfig,
    hydra: HydraConf,
    is_sweep: bool = False,
) -> None:
    """Runs the command `name` in a folder that is its own, whose status and `.hydra` say how it went.

    config, settings: as composed, and typed. Raises `UserError` for a folder that is not free, or what stops the run.
    """
    resume = getattr(settings, "resume", False)
    group = process_group()
    with group.initialised(), folder.held():
        if resume:
            command.check_resumed(settings, folder)
        if not group.broadcast(begin_run(folder, name, config, hydra, resume)):
            log.info("this run is finished")
            return
        with failures_recorded(folder, is_sweep), resumption_explained(name, folder):
            command.run(settings, folder)
            folder.write_status("done")


def sweep_job(config: DictConfig, hydra: HydraConf, folder: Path, failure: str) -> SweepJob:
    """What a job of training came to, as a sweep sees it. failure: why it failed, empty where it did not"""
    overrides = list(hydra.overrides.task)
    return SweepJob(folder, overrides, config.arch.name, config.row, config.label, config.seeds > 1, failure)


def checked_settings(command: str, config: DictConfig, overrides: Sequence[str] = ()) -> Any:
    """The typed settings of a configuration. Raises `UserError` for whatever in it no run can have, and for overrides
    that nothing would read."""
    settings = typed_settings(command, config)
    if isinstance(getattr(settings, "dataset", None), schema.DatasetConfig):
        check_split_options(settings.dataset, overrides)
    command_of(command).check(settings)
    return settings
