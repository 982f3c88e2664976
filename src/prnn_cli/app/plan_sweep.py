"""The jobs of a sweep, composed and checked before the first one runs."""

from collections.abc import Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from prnn_cli.errors import UserError
from prnn_cli.jobs.job import checked_settings
from prnn_cli.jobs.sweep import Sweep
from prnn_cli.reporting.sweep_jobs import SweepJob, differing_overrides
from prnn_cli.run_folder import RunFolder
from prnn_cli.run_start import refuse_if_kept
from prnn_cli.system.extras import refuse_silent, require
from prnn_cli.tuning.plan import check_search, parse_overrides, search_path


def plan_sweep(
    command: str, overrides: Sequence[str], multirun: bool, configs: Path, config_dir: str | None = None
) -> Sweep | None:
    """The sweep that a command line asks for; None where it asks for one job, or names a sweeper of the user's own.

    A sweep is asked for by -m (`multirun`), by an experiment that sets hydra.mode, or by seeds=N. `config_dir` is a
    folder of configs of the user's own. Raises `UserError` for a job that cannot run.
    """
    with initialize_config_dir(str(configs), version_base="1.3"):
        given = parse_overrides([*search_path(config_dir), *overrides])
        for each in given:
            if not each.is_sweep_override():
                require(f"{each.key_or_group}={each.get_value_element_as_str()}")
        launched = any(
            each.key_or_group == "hydra/launcher" and each.get_value_element_as_str() != "basic"
            for each in given
        )
        keys = [str(each.key_or_group) for each in given]
        if "search" in keys:
            check_search(given)
            return Sweep(searches=True, launched=launched)
        if "hydra/sweeper" in keys:
            _check_other_sweeper(overrides, keys)
            return None
        return _planned_jobs(command, given, multirun, launched)


def _check_other_sweeper(overrides: Sequence[str], keys: Sequence[str]) -> None:
    """Raises `UserError` for what does not go with a sweeper of the user's own, which has its own rules."""
    if "hydra/sweeper=optuna" in overrides:
        raise UserError("hydra/sweeper=optuna needs a space to search; add search=NAME, or search=custom")
    if "seeds" in keys:
        raise UserError("seeds=N does not go with hydra/sweeper; write -m seed=1,2,3")


def _planned_jobs(command: str, given: list[Override], multirun: bool, launched: bool) -> Sweep | None:
    """The sweep of Hydra's basic sweeper, each job of which is composed and checked; None for one job."""
    first = compose(command, _split(given)[0], return_hydra_config=True)
    refuse_silent(OmegaConf.select(first, "hydra.launcher.ray.init.address"))
    seeds = _seeds(first, given)
    multirun = multirun or str(OmegaConf.select(first, "hydra.mode")) == "RunMode.MULTIRUN"
    if not (multirun or seeds):
        return None
    params = OmegaConf.select(first, "hydra.sweeper.params") or {}
    swept = parse_overrides([f"{key}={value}" for key, value in params.items()])
    # Fixed now, as its name may hold the time: other processes write there, wherever they are, and this one reads.
    fixed = [f"hydra.sweep.dir='{Path(first.hydra.sweep.dir).absolute()}'"] if launched else []
    arguments = _split([*swept, *given, *parse_overrides([*seeds, *fixed])])
    taken: dict[Path, str] = {}
    checked = [_checked(command, each, number, taken) for number, each in enumerate(arguments)]
    names = _distinct([name for name, _ in checked], arguments)
    extra = [*seeds, *fixed, *([] if multirun else ["--multirun"])]
    if not launched or command != "train":
        return Sweep(names, extra)
    table = checked_settings(command, _without_hydra_node(first)).table
    return Sweep(names, extra, launched=True, jobs=[job for _, job in checked if job], table=table)


def _split(overrides: list[Override]) -> list[list[str]]:
    """The overrides of each job, as Hydra's basic sweeper divides them."""
    return [job for batch in BasicSweeper.split_arguments(overrides, None) for job in batch]


def _seeds(config: DictConfig, given: list[Override]) -> list[str]:
    """The override that seeds=N stands for, such as seed=42,43,44 for seeds=3; none without it.

    The seeds begin with the run's own, so that a run that has been made counts as one of them.
    """
    seeds = OmegaConf.select(config, "seeds")
    if not isinstance(seeds, int) or seeds <= 1:
        return []
    if any(each.key_or_group == "seed" and each.is_sweep_override() for each in given):
        raise UserError(f"seeds={seeds} and a list of seeds both say which to run; leave one out")
    return [f"seed={','.join(str(config.seed + extra) for extra in range(seeds))}"]


def _checked(
    command: str, job: list[str], number: int, taken: dict[Path, str]
) -> tuple[str, SweepJob | None]:
    """The name of a job, empty where neither its row nor its label gives one, and, for training, the job.

    taken: the folders of the jobs before it, to which its own is added. Raises `UserError` for a job that cannot run.
    """
    planned = None
    try:
        config = compose(command, [*job, f"hydra.job.num={number}"], return_hydra_config=True)
        folder = Path(config.hydra.sweep.dir) / str(config.hydra.sweep.subdir)
        _refuse_folder(folder, _without_hydra(job), taken, resume=config.get("resume", False))
        config = _without_hydra_node(config)
        if command == "train":
            shown = [each for each in job if not each.startswith("hydra")]
            planned = SweepJob(folder, shown, config.arch.name, config.row, config.label, config.seeds > 1)
        settings = checked_settings(command, config)
    except UserError as error:
        raise UserError(f"{error} (in the job {_without_hydra(job)})") from error
    if getattr(settings, "row", None):
        return f"{settings.row}-seed{settings.seed}", planned
    return str(getattr(settings, "label", None) or ""), planned


def _without_hydra_node(config: DictConfig) -> DictConfig:
    config = config.copy()
    OmegaConf.set_struct(config, False)
    del config["hydra"]
    return config


def _refuse_folder(folder: Path, job: str, taken: dict[Path, str], resume: bool) -> None:
    """Raises `UserError` for a folder that is taken, now rather than once the jobs ahead have been trained."""
    if other := taken.get(folder):
        raise UserError(
            f"the job {other} has the folder {folder} too; let hydra.sweep.subdir tell them apart, as in "
            "'hydra.sweep.subdir=${row}-${recipe.dropout}-seed${seed}'"
        )
    taken[folder] = job
    if not resume:
        refuse_if_kept(RunFolder(folder))


def _distinct(names: list[str], jobs: list[list[str]]) -> list[str]:
    """The names; where one is missing or not the only one of its kind, the overrides in which the jobs differ."""
    if all(names) and len(set(names)) == len(names):
        return names
    return [name or f"job {number}" for number, name in enumerate(differing_overrides(jobs))]


def _without_hydra(job: Sequence[str]) -> str:
    return " ".join(override for override in job if not override.startswith(("hydra.", "hydra/")))
