"""Runs a command on a composed configuration: once, or as the jobs of a sweep."""

import importlib
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from prnn_cli import schema
from prnn_cli.errors import RunError, UserError, refused_by_the_system
from prnn_cli.explain import explain
from prnn_cli.run_folder import RunFolder

log = logging.getLogger(__name__)

SCHEMAS: dict[str, type] = {
    "train": schema.TrainCommand,
    "preprocess": schema.PreprocessCommand,
    "features": schema.FeaturesCommand,
    "evaluate": schema.EvaluateCommand,
    "status": schema.StatusCommand,
}


@dataclass
class Jobs:
    """The one job of a command, or those of a sweep. Hydra would report an exception in its own way, and in a
    sweep it would keep the other jobs' results from being reported, so it is kept for `finish`."""

    command: str
    sweep: bool = False
    folders: list[Path] = field(default_factory=list)
    failures: list[UserError | RunError] = field(default_factory=list)

    def run(self, config: DictConfig) -> None:
        self.sweep = HydraConfig.get().mode == RunMode.MULTIRUN
        folder = Path(HydraConfig.get().runtime.output_dir)
        self.folders.append(folder)
        try:
            self._run(config, RunFolder(folder))
        except (UserError, RunError) as error:
            self.failures.append(error)
            if self.sweep:
                log.error("job %s failed: %s", HydraConfig.get().job.num, error)
            with suppress(OSError):
                folder.rmdir()  # Hydra made it; it stays where anything is in it

    def _run(self, config: DictConfig, folder: RunFolder) -> None:
        settings = checked_settings(self.command, config)
        module = importlib.import_module(f"prnn_cli.commands.{self.command}")
        if not module.WRITES:
            module.run(settings)
            return
        resume = getattr(settings, "resume", False)
        with folder.held():
            if not folder.begin(self.command, config, HydraConfig.get(), resume):
                log.info("this run is finished")
                module.show(folder)
                return
            with _failures_recorded(folder, self.sweep):
                module.run(settings, folder)
                folder.write_status("done")

    def finish(self) -> int:
        if not self.sweep:
            if self.failures:
                raise self.failures[0]
            return 0
        if self.command == "train":
            from prnn_cli.reporting.results import write_sweep_table

            write_sweep_table(self.folders)
        return 1 if self.failures else 0


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
def _resources_explained() -> Iterator[None]:
    """What the machine refused, as a sentence."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not re.search("out of memory|can't allocate", str(error)):
            raise
        raise RunError(
            "out of memory; lower recipe.batch_size, subnets.*.hidden_size or recipe.num_sampled, or use a smaller "
            "evaluation.candidates"
        ) from error
    except BrokenPipeError:
        raise
    except OSError as error:
        raise refused_by_the_system(error) from error
