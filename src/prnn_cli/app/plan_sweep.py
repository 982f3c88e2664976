"""The jobs of a sweep, composed and checked before the first one runs."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hydra import compose
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from prnn_cli.errors import UserError
from prnn_cli.experiment.settings import typed_settings
from prnn_cli.jobs.job import checked_settings
from prnn_cli.jobs.sweep import Sweep
from prnn_cli.reporting.sweep_jobs import SweepJob, differing_overrides
from prnn_cli.run_folder import RunFolder
from prnn_cli.run_start import refuse_if_kept
from prnn_cli.schema import AUTO
from prnn_cli.system import forked
from prnn_cli.system.extras import refuse_silent, require
from prnn_cli.system.hardware import jobs_at_a_time
from prnn_cli.system.progress import console, meter
from prnn_cli.tuning.plan import check_search, parse_overrides

OWN_LAUNCHER = "hydra_plugins.prnn.SideBySide"
BASIC_LAUNCHER = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
MULTIRUN = "hydra.mode=MULTIRUN"  # what tells Hydra that it sweeps


def require_extras(overrides: Sequence[str]) -> None:
    """Raises `UserError` for a choice whose extra is not installed, before its config, which names it, is composed."""
    for each in parse_overrides(overrides):
        if not each.is_sweep_override():
            require(f"{each.key_or_group}={each.get_value_element_as_str()}")


def plan_sweep(command: str, overrides: Sequence[str], multirun: bool) -> Sweep | None:
    """The sweep that a command line asks for, empty under a sweeper of the user's own; None where it asks for one job.

    A sweep is asked for by -m (`multirun`), by an experiment that sets hydra.mode, or by seeds=N. Raises `UserError`
    for a job that cannot run.
    """
    given = parse_overrides(overrides)
    keys = [str(each.key_or_group) for each in given]
    if "search" in keys:
        config = check_search(given)
        sweep = _run_by(command, config, config.search.parallel)
        _begin_processes(sweep)
        return replace(sweep, searches=True, trials=config.search.trials)
    if "hydra/sweeper" in keys:
        _check_other_sweeper(overrides, keys)
        single = [str(each.input_line) for each in given if not each.is_sweep_override()]
        return Sweep() if multirun or _asks_for_sweep(_composed(command, single)) else None
    return _planned_jobs(command, given, multirun)


def _check_other_sweeper(overrides: Sequence[str], keys: Sequence[str]) -> None:
    """Raises `UserError` for what does not go with a sweeper of the user's own, which has its own rules."""
    if "hydra/sweeper=optuna" in overrides:
        raise UserError("hydra/sweeper=optuna needs a space to search; add search=NAME, or search=custom")
    if "seeds" in keys:
        raise UserError("seeds=N does not go with hydra/sweeper; write -m seed=1,2,3")


def _planned_jobs(command: str, given: list[Override], multirun: bool) -> Sweep | None:
    """The sweep of Hydra's basic sweeper, each job of which is composed and checked; None for one job."""
    first = _composed(command, _first_job(given))
    refuse_silent(OmegaConf.select(first, "hydra.launcher.ray.init.address"))
    seeds = _seeds(first, given) if command == "train" else []
    if not (multirun or seeds or _asks_for_sweep(first)):
        return None
    params = OmegaConf.select(first, "hydra.sweeper.params") or {}
    swept = parse_overrides([f"{key}={value}" for key, value in params.items()])
    number = len(_jobs([*swept, *given, *parse_overrides([*seeds, MULTIRUN])]))
    sweep = _run_by(command, first, number)
    _begin_processes(sweep)
    # Fixed now, as its name may hold the time: other processes write there, wherever they are, and this one reads.
    has_others = sweep.launched or sweep.at_a_time > 1
    fixed = [f"hydra.sweep.dir='{Path(first.hydra.sweep.dir).absolute()}'"] if has_others else []
    extra = [*seeds, *fixed]
    arguments = _jobs([*swept, *given, *parse_overrides([*extra, MULTIRUN])])
    taken: dict[Path, str] = {}
    checked = []
    if len(arguments) > 1:
        side_by_side = f", {sweep.at_a_time} at a time" if sweep.at_a_time > 1 else ""
        console.print(
            f"checking {len(arguments)} jobs before the first one runs{side_by_side} …", highlight=False
        )
    with meter("checking", len(arguments)) as bar:
        for number, each in enumerate(arguments):
            checked.append(_checked(command, each, number, taken))
            bar.update(number + 1, "jobs")
    names = _distinct([name for name, _ in checked], arguments)
    if command != "train":
        return Sweep(names, extra)
    table = checked_settings(command, _without_hydra_node(first)).table
    jobs = [job for _, job in checked if job] if sweep.launched else []
    return replace(sweep, names=names, extra_overrides=extra, jobs=jobs, table=table)


def _run_by(command: str, config: DictConfig, num_jobs: int) -> Sweep:
    """A sweep that knows who runs so many jobs: a launcher that was chosen, or this machine, some side by side."""
    target = str(OmegaConf.select(config, "hydra.launcher._target_"))
    if target != OWN_LAUNCHER and config.get("plan"):
        raise UserError("plan=true tells of this machine; leave hydra/launcher out")
    if target not in (OWN_LAUNCHER, BASIC_LAUNCHER):
        if any(each.lstrip("+").startswith("jobs=") for each in config.hydra.overrides.task):
            raise UserError(
                f"jobs=… is of trainings on this machine, and {config.hydra.runtime.choices['hydra/launcher']} says by "
                "options of its own, hydra.launcher.…, how many run at a time; leave jobs out"
            )
        return Sweep(launched=True)
    if target == BASIC_LAUNCHER or command != "train":
        return Sweep()
    settings = typed_settings(command, _without_hydra_node(config))
    most = jobs_at_a_time(settings.jobs, settings.hardware)
    return Sweep(at_a_time=min(most, num_jobs), fits_memory=settings.jobs == AUTO, plan=settings.plan)


def _begin_processes(sweep: Sweep) -> None:
    """Has what the jobs' processes start with loaded while the jobs are checked."""
    if sweep.at_a_time > 1 or sweep.plan:
        forked.begin(sweep.at_a_time)


def _composed(command: str, overrides: list[str]) -> DictConfig:
    return compose(command, overrides, return_hydra_config=True)


def _asks_for_sweep(config: DictConfig) -> bool:
    return bool(config.hydra.mode == RunMode.MULTIRUN)


def _first_job(given: list[Override]) -> list[str]:
    """The overrides of the only job, or of one of those that are swept over."""
    if not any(each.is_sweep_override() for each in given):
        return [str(each.input_line) for each in given]
    return _jobs(given)[0]


def _jobs(overrides: list[Override]) -> list[list[str]]:
    """The overrides of each job, those of Hydra itself first, as Hydra's basic sweeper and launcher put them."""
    shared = [str(each.input_line) for each in overrides if each.is_hydra_override()]
    swept = [each for each in overrides if not each.is_hydra_override()]
    return [[*shared, *job] for batch in BasicSweeper.split_arguments(swept, None) for job in batch]


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
        config = _composed(command, job)
        with open_dict(config):
            config.hydra.job.num = config.hydra.job.id = number
        folder = Path(config.hydra.sweep.dir) / str(config.hydra.sweep.subdir)
        _refuse_folder(folder, _without_hydra(job), taken, bool(config.get("resume") or config.get("plan")))
        config = _without_hydra_node(config)
        if command == "train":
            shown = [each for each in job if not each.startswith("hydra")]
            planned = SweepJob(folder, shown, config.arch.name, config.row, config.label, config.seeds > 1)
        settings = checked_settings(command, config, job)
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


def _refuse_folder(folder: Path, job: str, taken: dict[Path, str], is_free: bool) -> None:
    """Raises `UserError` for a folder that is taken, now rather than once the jobs ahead have been trained."""
    if other := taken.get(folder):
        raise UserError(
            f"the job {other} has the folder {folder} too; let hydra.sweep.subdir tell them apart, as in "
            "'hydra.sweep.subdir=${row}-${recipe.dropout}-seed${seed}'"
        )
    taken[folder] = job
    if not is_free:
        refuse_if_kept(RunFolder(folder))


def _distinct(names: list[str], jobs: list[list[str]]) -> list[str]:
    """The names; where one is missing or not the only one of its kind, the overrides in which the jobs differ."""
    if all(names) and len(set(names)) == len(names):
        return names
    return [name or f"job {number}" for number, name in enumerate(differing_overrides(jobs))]


def _without_hydra(job: Sequence[str]) -> str:
    return " ".join(override for override in job if not override.startswith(("hydra.", "hydra/")))
