"""A command line -> its configuration, composed by Hydra, and the runs of its jobs."""

import logging
import logging.config
import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from traceback import extract_tb
from typing import NoReturn

import hydra
from hydra._internal.core_plugins.basic_launcher import BasicLauncher
from hydra._internal.hydra import Hydra
from hydra._internal.utils import get_args_parser
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from prnn_cli.app.composition import hydra_of
from prnn_cli.app.item_ids import with_ids_quoted
from prnn_cli.app.plan_sweep import MULTIRUN, plan_sweep, require_extras
from prnn_cli.app.safety import check_compositions
from prnn_cli.errors import RunError, UserError, first_line, refused_by_the_system
from prnn_cli.experiment.override_text import with_text_quoted
from prnn_cli.experiment.settings import composition_explained, register_schemas, schema_of
from prnn_cli.extensions import config_folders
from prnn_cli.jobs.job import JobRunner
from prnn_cli.jobs.sweep import Sweep
from prnn_cli.run_folder import RunFolder, runs_in
from prnn_cli.system.distributed import process_group
from prnn_cli.system.signals import stop_signal
from prnn_cli.tuning.plan import command_lines

log = logging.getLogger(__name__)


def run_command(command: str, arguments: list[str]) -> int:
    """Runs a command, and returns its exit code: the last one where tune=[…] makes several command lines of one.

    Raises `UserError` for a configuration that cannot be composed.
    """
    # Hydra is to raise its errors, not to print them: the sentence is made here.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    # A full disk must not print a traceback for each line of the log.
    logging.raiseExceptions = False
    register_schemas()
    check_compositions()
    arguments = with_text_quoted(with_ids_quoted(schema_of(command), arguments))
    with composition_explained(command, arguments):
        flags = _parse_flags(command, arguments)
        if flags is None or flags.config_path or flags.config_name:
            return _left_to_hydra(command, arguments)
        with hydra_of(command, _configs_of(command), flags.config_dir) as app:
            require_extras(flags.overrides)
            lines = _tuning_lines(command, flags) or [flags.overrides]
            return [_run_line(app, command, line, flags.multirun) for line in lines][-1]


def _run_line(app: Hydra, command: str, overrides: list[str], multirun: bool) -> int:
    if process_group().world_size > 1 and command != "train":
        raise UserError(f"torchrun is for prnn train; run prnn {command} by itself")
    with _own_overrides(overrides) as own:
        return _run_job_or_sweep(app, command, own, multirun)


@contextmanager
def _own_overrides(overrides: list[str]) -> Iterator[list[str]]:
    """The overrides for this process: all but the main one work in a folder that goes with them."""
    if process_group().is_main:
        yield overrides
        return
    with TemporaryDirectory(prefix="prnn-process-") as folder:
        same = [each for each in overrides if not each.startswith(("hydra.run.dir=", "resume="))]
        yield [*same, f"hydra.run.dir={folder}"]


def _run_job_or_sweep(app: Hydra, command: str, overrides: list[str], multirun: bool) -> int:
    if not multirun:
        _refuse_missing_run(command, overrides)
    sweep = plan_sweep(command, overrides, multirun)
    is_planned = any(each.startswith("plan=") and each != "plan=false" for each in overrides)
    if is_planned and process_group().world_size > 1:
        raise UserError("plan=true tells of runs in one process each; leave torchrun out")
    if sweep and process_group().world_size > 1:
        raise UserError("torchrun divides one run; start a sweep without it, or its rows one by one")
    runner = JobRunner(command, sweep or Sweep())
    stop_signal.install()
    with _place(sweep) as place:
        _launch(app, runner, [*overrides, *place], is_sweep=sweep is not None)
    return runner.finish()


@contextmanager
def _place(sweep: Sweep | None) -> Iterator[list[str]]:
    """The overrides that say where a sweep's jobs go: a plan leaves nothing behind."""
    if sweep is None or not sweep.plan:
        yield sweep.extra_overrides if sweep else []
        return
    with TemporaryDirectory(prefix="prnn-plan-") as folder:
        yield [*sweep.extra_overrides, f"hydra.sweep.dir={folder}"]


def _launch(app: Hydra, runner: JobRunner, overrides: list[str], is_sweep: bool) -> None:
    """Has Hydra run the one job, or the jobs of a sweep."""
    # Where prnn has a view of the jobs, or names the trials of a search, Hydra's list of them says it twice.
    is_told = runner.command == "train" and bool(runner.sweep.names or runner.sweep.searches)
    logging.getLogger(BasicLauncher.__module__).setLevel(logging.WARNING if is_told else logging.NOTSET)
    with _launcher_explained(runner), _output_folder_explained(), _logging_explained():
        if is_sweep:
            app.multirun(runner.command, runner.run, [*overrides, MULTIRUN])
        else:
            app.run(runner.command, runner.run, overrides)


def _left_to_hydra(command: str, arguments: list[str]) -> int:
    """The exit code of what Hydra's own command line does: to show something, or to run a config of another name."""
    runner = JobRunner(command)
    stop_signal.install()
    configs = str(_configs_of(command))
    with (
        _launcher_explained(runner),
        _output_folder_explained(),
        _logging_explained(),
        _command_line(command, arguments),
    ):
        try:
            hydra.main(version_base="1.3", config_path=configs, config_name=command)(runner.run)()
        except SystemExit as finished:  # after --hydra-help and its like
            return int(finished.code or 0)
    return runner.finish()


@contextmanager
def _output_folder_explained() -> Iterator[None]:
    try:
        yield
    except (BrokenPipeError, HydraException):
        # Some of Hydra's are OSErrors, but none of the system's refusals.
        raise
    except OSError as error:
        raise refused_by_the_system(error) from error


@contextmanager
def _logging_explained() -> Iterator[None]:
    """Turns what Python's logging says of its configuration into a `UserError`."""
    try:
        yield
    except Exception as error:
        if not any(frame.filename == logging.config.__file__ for frame in extract_tb(error.__traceback__)):
            raise
        reason = ": ".join(first_line(each) for each in (error, error.__cause__) if each)
        raise UserError(
            f"logging cannot be set up as hydra.job_logging or hydra_logging say ({reason})"
        ) from error


@contextmanager
def _command_line(command: str, arguments: list[str]) -> Iterator[None]:
    """Sets sys.argv, the only place from which Hydra reads the command line."""
    before = sys.argv
    sys.argv = [f"prnn {command}", *arguments]
    try:
        yield
    finally:
        sys.argv = before


def _configs_of(command: str) -> Path:
    """The folder that holds the command's config: prnn's own, or an extension's."""
    folders = config_folders()
    return next((folder for folder in folders if (folder / f"{command}.yaml").is_file()), folders[0])


@contextmanager
def _launcher_explained(runner: JobRunner) -> Iterator[None]:
    """Turns the errors of a launcher, which runs the jobs elsewhere, into a sentence."""
    try:
        yield
    except (HydraException, OmegaConfBaseException, YAMLError, UserError, RunError, BrokenPipeError):
        raise
    except Exception as error:
        if not runner.sweep.jobs:
            raise
        _explain_launcher(error, runner)


def _explain_launcher(error: Exception, runner: JobRunner) -> None:
    """Raises `UserError` where no job began; where some did, logs the reason: the table shows what came of each."""
    reason = f"{type(error).__name__} {' '.join(str(error).split())[:300]}".strip()
    if not any(RunFolder(job.folder).is_begun() for job in runner.sweep.jobs):
        raise UserError(
            f"the launcher could not run the jobs ({reason}); see what its cluster answers, and the options of "
            "hydra.launcher"
        ) from error
    log.error("the launcher ended before its jobs: %s", reason)


def _tuning_lines(command: str, flags: Namespace) -> list[list[str]]:
    """The command lines, without their flags, that tune=[…] makes of one; none without it."""
    return command_lines(flags.overrides, flags.config_dir) if command == "train" else []


def _refuse_missing_run(command: str, overrides: list[str]) -> None:
    """Raises `UserError` for a mistyped run=DIR: Hydra would create that folder to work in."""
    for run in (each.partition("=")[2] for each in overrides if each.startswith("run=")):
        run = run.strip("'\"")
        if not (command == "status" and runs_in(Path(run))):
            RunFolder.existing(run)


def _parse_flags(command: str, arguments: list[str]) -> Namespace | None:
    """Hydra's flags and the overrides; None where nothing is to be run, as for --help.

    Raises `UserError` for flags that there are not, or that would run code.
    """
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise UserError(
            f"{message}; prnn {command} --hydra-help shows the flags, which stand before or after the overrides"
        )

    parser.error = refuse  # type: ignore[method-assign]
    flags = parser.parse_args(arguments)
    if flags.cfg and flags.multirun:
        raise UserError("--cfg shows one configuration, not those of a sweep; leave -m out")
    if flags.experimental_rerun:
        raise UserError(
            f"--experimental-rerun {flags.experimental_rerun} reads a pickle, which can run any code; repeat a run by "
            "the overrides in its .hydra/overrides.yaml"
        )
    if flags.config_path and "://" in flags.config_path:
        raise UserError(f"--config-path {flags.config_path} is no folder; give the path of one")
    if flags.help or flags.hydra_help or flags.cfg or flags.info or flags.shell_completion:
        return None
    for override in flags.overrides:
        if override.partition("=")[0] == "":
            raise UserError(f"{override} sets nothing; write KEY=VALUE or GROUP=CHOICE")
    return flags
