"""Runs a command on a composed configuration: once, or as the jobs of a sweep."""

import importlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from prnn_cli import schema
from prnn_cli.errors import (
    LostProcessError,
    Pruned,
    RunError,
    Stopped,
    UserError,
    is_out_of_memory,
    refused_by_the_system,
)
from prnn_cli.jobs.hydra_errors import explain
from prnn_cli.jobs.sweep_view import Overview
from prnn_cli.jobs.worker import in_own_process
from prnn_cli.reporting.sweep_jobs import SweepJob
from prnn_cli.run_folder import RunFolder, read_json
from prnn_cli.run_start import begin_run
from prnn_cli.system.distributed import process_group

log = logging.getLogger(__name__)

SCHEMAS: dict[str, type] = {
    "train": schema.TrainCommand,
    "preprocess": schema.PreprocessCommand,
    "features": schema.FeaturesCommand,
    "evaluate": schema.EvaluateCommand,
    "recommend": schema.RecommendCommand,
    "tables": schema.TablesCommand,
    "bench": schema.BenchCommand,
    "status": schema.StatusCommand,
}


@dataclass
class Jobs:
    """The one job of a command, or those of a sweep. Hydra would report an exception in its own way, and in a
    sweep it would keep the other jobs' results from being reported, so it is kept for `finish`."""

    command: str
    names: list[str] = field(default_factory=list)
    sweep: bool = False
    ended: list[SweepJob] = field(default_factory=list)
    failures: list[UserError | RunError] = field(default_factory=list)
    overview: Overview | None = None
    table: schema.TableConfig | None = None
    launched: bool = False  # by a launcher that gives each job a process, here or on another machine
    planned: list[SweepJob] = field(
        default_factory=list
    )  # of such a launcher, whose processes keep what they did
    tuning: bool = False  # the search itself says what came of its jobs
    workplace: str = field(default_factory=os.getcwd)  # that relative paths begin at, on other machines too

    def run(self, config: DictConfig) -> SweepJob | None:
        """What a sweep of training makes a row of."""
        self.sweep = HydraConfig.get().mode == RunMode.MULTIRUN
        folder = Path(HydraConfig.get().runtime.output_dir)
        if self.launched:
            os.chdir(self.workplace)
            return in_own_process(
                lambda: _as_sweep_job(config, folder, self._attempt(config, folder)),
                RunFolder(folder),
                lambda failure: _as_sweep_job(config, folder, failure),
            )
        with self._overseen(folder):
            failure = self._attempt(config, folder)
            if self.command == "train":
                self.ended.append(_as_sweep_job(config, folder, failure))
        return self.ended[-1] if self.ended else None

    def _attempt(self, config: DictConfig, folder: Path) -> str:
        """Why the job failed; empty where it did not."""
        try:
            with _resources_explained():
                self._run(config, RunFolder(folder))
        except (UserError, RunError) as error:
            # Without its traceback, which would keep the failed network in memory.
            self.failures.append(type(error)(str(error)))
            if self.sweep:
                log.error("job %s failed: %s", HydraConfig.get().job.num, error)
            with suppress(OSError):
                folder.rmdir()  # Hydra made it; it stays where anything is in it
            return str(error)
        except Pruned as pruned:
            log.info("%s", pruned)
        return ""

    @contextmanager
    def _overseen(self, folder: Path) -> Iterator[None]:
        """One line a job while a sweep of training runs."""
        if not (self.sweep and self.names and self.command == "train"):
            yield
            return
        number = HydraConfig.get().job.num
        self.overview = self.overview or Overview(self.names)
        self.overview.running(number)
        try:
            yield
        except BaseException:  # a signal
            self.overview.ended(number, "stopped", "")
            self.overview.close()
            raise
        failure = self.ended[-1].failure
        self.overview.ended(number, "failed" if failure else "done", failure or _metrics(folder))
        if len(self.ended) == len(self.names):
            self.overview.close()

    def _run(self, config: DictConfig, folder: RunFolder) -> None:
        settings = checked_settings(self.command, config)
        self.table = getattr(settings, "table", None)
        module = importlib.import_module(f"prnn_cli.commands.{self.command}")
        if not module.WRITES:
            module.run(settings)
            return
        resume = getattr(settings, "resume", False)
        group = process_group()
        with group.initialised(), folder.held():
            if resume:
                module.check_resumed(settings, folder)
            if not group.broadcast(begin_run(folder, self.command, config, HydraConfig.get(), resume)):
                log.info("this run is finished")
            else:
                with _failures_recorded(folder, self.sweep), _resumption_explained(self.command, folder):
                    module.run(settings, folder)
                    folder.write_status("done")
            # A sweep shows all at its end.
            if hasattr(module, "show_result") and not self.sweep and group.is_main:
                module.show_result(folder)

    def finish(self) -> int:
        for job in self.planned:
            failure = RunFolder(job.folder).why_unfinished()
            self.ended.append(replace(job, failure=failure))
            self.failures += [RunError(failure)] if failure else []
            self.sweep = True
        if self.failures and not self.sweep:
            raise self.failures[0]
        if self.tuning:
            return 0
        if self.sweep and self.ended and self.table:
            from prnn_cli.reporting.report import report_sweep

            report_sweep(self.ended, self.table)
        return 1 if self.failures else 0


def _as_sweep_job(config: DictConfig, folder: Path, failure: str) -> SweepJob:
    overrides = list(HydraConfig.get().overrides.task)
    return SweepJob(folder, overrides, config.arch.name, config.row, config.label, config.seeds > 1, failure)


def _metrics(folder: Path) -> str:
    try:
        metrics = read_json(RunFolder(folder).metrics_file)
    except UserError as error:  # of an earlier run; the table says so too
        return str(error)
    return ", ".join(f"{key} {metrics[key]:.4f}" for key in ("recall@20", "mrr@20"))


def checked_settings(command: str, config: DictConfig) -> Any:
    """The typed configuration; raises `UserError` for whatever in it no run can have."""
    try:
        # Merged once more, as +KEY=VALUE may have added what no command knows.
        typed = OmegaConf.merge(OmegaConf.structured(SCHEMAS[command]), OmegaConf.to_container(config))
        settings = OmegaConf.to_object(typed)
    except OmegaConfBaseException as error:
        raise UserError(explain(error, SCHEMAS[command])) from error
    schema.check(settings)
    module = importlib.import_module(f"prnn_cli.commands.{command}")
    if hasattr(module, "check"):
        module.check(settings)
    return settings


@contextmanager
def _failures_recorded(folder: RunFolder, sweep: bool) -> Iterator[None]:
    try:
        with _resources_explained():
            yield
    except BrokenPipeError:  # a command prints last, so all is done but nobody reads it
        folder.write_status("done")
        raise
    except Pruned as pruned:
        folder.write_status("pruned", reason=str(pruned))
        raise
    except BaseException as error:
        # The console gets its sentence at the end.
        log.error("failed: %s", error, extra={"in_file_only": True})
        with suppress(RunError):  # a full disk is what is being reported
            folder.write_status("failed", reason=str(error) or type(error).__name__)
        if sweep and isinstance(error, Exception) and not isinstance(error, UserError | RunError):
            log.exception("unforeseen, please report it")
            raise RunError(f"{type(error).__name__}: {error}") from error
        raise


@contextmanager
def _resumption_explained(command: str, folder: RunFolder) -> Iterator[None]:
    """After a signal that came before or after the training."""
    try:
        yield
    except LostProcessError as loss:
        raise RunError(f"{loss}; {folder.how_to_resume}") from loss
    except Stopped as stop:
        if command != "train" or "resume=true" in str(stop):
            raise
        raise Stopped(stop.exit_code - 128, f"stopped; {folder.how_to_resume}") from stop


@contextmanager
def _resources_explained() -> Iterator[None]:
    """What the machine refused, as a sentence."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise RunError(
            "out of memory; lower recipe.batch_size, subnets.*.hidden_size or recipe.num_sampled, or use a smaller "
            "evaluation.candidates"
        ) from error
    except BrokenPipeError:
        raise
    except OSError as error:
        raise refused_by_the_system(error) from error
