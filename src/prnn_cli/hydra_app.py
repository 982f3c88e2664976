"""Composes a command's configuration with Hydra and runs the command, once or as a sweep."""

import importlib
import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from prnn_cli import schema
from prnn_cli.errors import RunError, UserError
from prnn_cli.explain import explain
from prnn_cli.run_folder import RunFolder
from prnn_cli.signals import stop_signal

log = logging.getLogger(__name__)

SCHEMAS: dict[str, type] = {
    "train": schema.TrainCommand,
    "preprocess": schema.PreprocessCommand,
    "evaluate": schema.EvaluateCommand,
    "status": schema.StatusCommand,
}


def configs_folder() -> Path:
    """Inside the package where it was installed, beside src in a checkout."""
    package = Path(__file__).resolve().parent
    return next(path for path in (package / "configs", package.parents[1] / "configs") if path.is_dir())


def run_command(command: str, overrides: list[str]) -> int:
    """The exit code. Raises `UserError` for a configuration that cannot be composed."""
    register_schemas()
    _check_arguments(command, overrides)
    jobs = Jobs(command)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # raise; the sentence is ours to make
    logging.raiseExceptions = False  # a full disk must not print a traceback for each line of the log
    sys.argv = [f"prnn {command}", *overrides]
    stop_signal.install()
    try:
        hydra.main(version_base="1.3", config_path=str(configs_folder()), config_name=command)(jobs.run)()
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(explain(error, SCHEMAS[command])) from error
    except SystemExit as finished:  # after --help and its like
        return int(finished.code or 0)
    except OSError as error:  # the output folder
        raise RunError(f"{error.filename or 'a file'}: {error.strerror or error}") from error
    return jobs.finish()


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
            _run_job(self.command, config, RunFolder(folder))
        except (UserError, RunError) as error:
            self.failures.append(error)
            if self.sweep:
                log.error("job %s failed: %s", HydraConfig.get().job.num, error)
            with suppress(OSError):
                folder.rmdir()  # Hydra made it; it stays where anything is in it

    def finish(self) -> int:
        if not self.sweep:
            if self.failures:
                raise self.failures[0]
            return 0
        if self.command == "train":
            from prnn_cli.reporting.results import write_sweep_table

            write_sweep_table(self.folders)
        return 1 if self.failures else 0


def register_schemas() -> None:
    for command, node in SCHEMAS.items():
        ConfigStore.instance().store(name=f"{command}_schema", node=node)


def _run_job(command: str, config: DictConfig, folder: RunFolder) -> None:
    try:
        # Merged once more, as +KEY=VALUE may have added what no command knows.
        typed = OmegaConf.merge(OmegaConf.structured(SCHEMAS[command]), OmegaConf.to_container(config))
        settings = OmegaConf.to_object(typed)
    except OmegaConfBaseException as error:
        raise UserError(explain(error, SCHEMAS[command])) from error
    schema.check(settings)
    module = importlib.import_module(f"prnn_cli.commands.{command}")
    if not module.WRITES:
        module.run(settings)
        return
    folder.begin(config, HydraConfig.get(), resume=getattr(settings, "resume", False))
    with _failures_recorded(folder):
        folder.write_status("running")
        module.run(settings, folder)
        folder.write_status("done")


@contextmanager
def _failures_recorded(folder: RunFolder) -> Iterator[None]:
    try:
        with _resources_explained():
            yield
    except BaseException as error:
        with suppress(RunError):  # a full disk is what is being reported
            folder.write_status("failed", reason=str(error) or type(error).__name__)
        raise


@contextmanager
def _resources_explained() -> Iterator[None]:
    """What the machine refused, as a sentence."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not (
            isinstance(error, MemoryError) or re.search("out of memory|can't allocate memory", str(error))
        ):
            raise
        raise RunError(
            "out of memory; lower recipe.batch_size, subnets.*.hidden_size or recipe.num_sampled, or use a smaller "
            "evaluation.candidates"
        ) from error
    except OSError as error:
        raise RunError(f"{error.filename or 'a file'}: {error.strerror or error}") from error


def _check_arguments(command: str, arguments: list[str]) -> None:
    """Flags that Hydra doesn't know, and a mistyped run=DIR, before Hydra creates that folder to work in."""
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise UserError(f"{message}; prnn {command} --hydra-help shows the flags")

    parser.error = refuse  # type: ignore[method-assign]
    flags = parser.parse_args(arguments)
    if flags.multirun or flags.help or flags.hydra_help or flags.cfg or flags.info:
        return
    for override in flags.overrides:
        key, _, value = override.partition("=")
        if not key:
            raise UserError(f"{override} sets nothing; write KEY=VALUE or GROUP=CHOICE")
        if key == "run":
            RunFolder.existing(value.strip("'\""))
