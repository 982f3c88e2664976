"""The jobs of a sweep, composed and checked before the first one runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from prnn_cli.errors import UserError
from prnn_cli.jobs import checked_settings
from prnn_cli.run_folder import RunFolder


@dataclass(frozen=True)
class Sweep:
    """extra_arguments: what the command line lacks for Hydra to run it, such as the seeds of seeds=3."""

    jobs: list[str]
    extra_arguments: list[str]


def plan_sweep(
    command: str, overrides: Sequence[str], multirun: bool, configs: Path, config_dir: str | None = None
) -> Sweep | None:
    """None where the command line asks for one job. Raises `UserError` for a job that cannot run.

    A sweep is asked for by -m (`multirun`), by an experiment that sets hydra.mode, or by seeds=N. `config_dir` is a
    folder of configs of the user's own.
    """
    searched = [f"hydra.searchpath=['file://{Path(config_dir).absolute()}']"] if config_dir else []
    with initialize_config_dir(str(configs), version_base="1.3"):
        given = _parse([*searched, *overrides])
        if own := [str(each.key_or_group) for each in given if str(each.key_or_group).startswith("hydra/")]:
            # another sweeper or launcher has its own rules
            if any(each.key_or_group == "seeds" for each in given):
                raise UserError(f"seeds=N does not go with {own[0]}; write -m seed=1,2,3")
            return None
        first = compose(command, _split(given)[0], return_hydra_config=True)
        seeds = _seeds(first, given)
        is_mode = str(OmegaConf.select(first, "hydra.mode")) == "RunMode.MULTIRUN"
        if not (multirun or is_mode or seeds):
            return None
        params = OmegaConf.select(first, "hydra.sweeper.params") or {}
        swept = _parse([f"{key}={value}" for key, value in params.items()])
        jobs = _split([*swept, *given, *_parse(seeds)])
        taken: dict[Path, str] = {}
        names = [_checked(command, job, taken) for job in jobs]
    return Sweep(_distinct(names, jobs), [*seeds, *([] if multirun or is_mode else ["--multirun"])])


def _parse(overrides: Sequence[str]) -> list[Override]:
    return OverridesParser.create(GlobalHydra.instance().config_loader()).parse_overrides(list(overrides))


def _split(overrides: list[Override]) -> list[list[str]]:
    return [job for batch in BasicSweeper.split_arguments(overrides, None) for job in batch]


def _seeds(config: DictConfig, given: list[Override]) -> list[str]:
    """["seed=42,43,44"] for seeds=3: the seeds that follow the run's own, so that a finished run counts as one."""
    seeds = OmegaConf.select(config, "seeds")
    if not isinstance(seeds, int) or seeds <= 1:
        return []
    if any(each.key_or_group == "seed" and each.is_sweep_override() for each in given):
        raise UserError(f"seeds={seeds} and a list of seeds both say which to run; leave one out")
    return [f"seed={','.join(str(config.seed + extra) for extra in range(seeds))}"]


def _checked(command: str, job: list[str], taken: dict[Path, str]) -> str:
    """The job's name, where its row or label gives one. taken: the folders of the jobs before it"""
    try:
        config = compose(command, job, return_hydra_config=True)
        if folder := _folder_known_by_now(config):
            _refuse_folder(folder, _without_hydra(job), taken, resume=config.get("resume", False))
        OmegaConf.set_struct(config, False)
        del config["hydra"]
        settings = checked_settings(command, config)
    except UserError as error:
        raise UserError(f"{error} (in the job {_without_hydra(job)})") from error
    if getattr(settings, "row", None):
        return f"{settings.row}-seed{settings.seed}"
    return str(getattr(settings, "label", None) or "")


def _folder_known_by_now(config: DictConfig) -> Path | None:
    try:
        return Path(config.hydra.sweep.dir) / str(config.hydra.sweep.subdir)
    except OmegaConfBaseException:  # it holds the job's number, which only Hydra knows
        return None


def _refuse_folder(folder: Path, job: str, taken: dict[Path, str], resume: bool) -> None:
    """Before the jobs ahead of it have been trained."""
    if other := taken.get(folder):
        raise UserError(
            f"the job {other} has the folder {folder} too; let hydra.sweep.subdir tell them apart, as in "
            "'hydra.sweep.subdir=${row}-${recipe.dropout}-seed${seed}'"
        )
    taken[folder] = job
    if not resume:
        RunFolder(folder).refuse_if_kept()


def _distinct(names: list[str], jobs: list[list[str]]) -> list[str]:
    """Where a name is missing or not the only one of its kind: what tells the job from the others."""
    if all(names) and len(set(names)) == len(names):
        return names
    shared = set.intersection(*map(set, jobs))
    told = [" ".join(each for each in job if each not in shared) for job in jobs]
    return [name or f"job {number}" for number, name in enumerate(told)]


def _without_hydra(job: Sequence[str]) -> str:
    return " ".join(override for override in job if not override.startswith("hydra."))
