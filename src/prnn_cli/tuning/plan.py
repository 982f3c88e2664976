"""The searches that a command line asks for: alone (search=NAME), or first, for what follows (tune=[NAME])."""

from collections.abc import Sequence
from pathlib import Path

from hydra import compose
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from prnn_cli.errors import UserError
from prnn_cli.run_folder import SEARCHED_FIRST, RunFolder
from prnn_cli.system.extras import require

SWEEPER = "hydra_plugins.prnn.OptunaSweeper"
# Options that say which rows of an experiment are run: a search tunes for all of them.
ROW_OPTIONS = ("row", "seeds", "tune")


def check_search(given: Sequence[Override]) -> DictConfig:
    """The configuration of a search. Raises `UserError` where it cannot begin, as far as the command line shows it."""
    require("hydra/sweeper=optuna")
    config = compose("train", [_written(each) for each in given if not each.is_sweep_override()], True)
    if OmegaConf.select(config, "hydra.sweeper._target_") != SWEEPER:
        raise UserError("search=NAME needs hydra/sweeper=optuna, which it sets; leave the other sweeper out")
    if config.seeds > 1:
        raise UserError("seeds=N does not go with search=NAME; repeat what is trained with its best settings")
    return config


def command_lines(overrides: Sequence[str], config_dir: str | None = None) -> list[list[str]]:
    """The command lines that tune=[…] makes of one: each search, then the command itself with what they found.

    Each is a list of overrides; there is none where nothing is to be tuned first.
    """
    given = parse_overrides(overrides)
    single = [each for each in given if not each.is_sweep_override()]
    config = compose("train", [_written(each) for each in single if not _is_of_search(each)], True)
    if not config.tune or config.search is not None:
        return []
    require("hydra/sweeper=optuna")
    if config.resume and RunFolder(Path(config.hydra.sweep.dir)).is_named_by_date:
        raise UserError(
            "resume=true goes on with the searches of tune=[…] in their sweep's folder, and none is named; add "
            "hydra.sweep.dir=DIR"
        )
    folder = Path(config.hydra.sweep.dir) / SEARCHED_FIRST
    shared = [
        _written(each) for each in single if each.key_or_group not in ROW_OPTIONS and not _places_runs(each)
    ]
    for name in config.tune:
        compose(
            "train", [f"search={name}", *shared], True
        )  # a name that is none is told before hours of the others
    searches = [[f"search={name}", f"search.folder={folder}", "tune=[]", *shared] for name in config.tune]
    kept = [
        _written(each)
        for each in given
        if not _is_of_search(each) and each.key_or_group != "hydra.searchpath"
    ]
    if config.plan:  # what the searches would find is not known
        return [*searches, [*kept, "tune=[]"]]
    tuned = [*search_path(str(folder), config_dir), f"tuned=[{','.join(config.tune)}]", "tune=[]"]
    return [*searches, [*kept, *tuned]]


def search_path(*folders: str | None) -> list[str]:
    """The override that has Hydra look for configs in these folders too."""
    named = [f"'file://{Path(folder).absolute()}'" for folder in folders if folder]
    return [f"hydra.searchpath=[{','.join(named)}]"] if named else []


def parse_overrides(overrides: Sequence[str]) -> list[Override]:
    """Overrides as Hydra reads them, with the configuration search path that is set up; raises Hydra's errors."""
    return OverridesParser.create(GlobalHydra.instance().config_loader()).parse_overrides(list(overrides))


def _places_runs(override: Override) -> bool:
    """Whether the override says where the command's runs go, and not who runs them."""
    key = str(override.key_or_group)
    return key.startswith("hydra") and not key.startswith(("hydra/launcher", "hydra.launcher"))


def _is_of_search(override: Override) -> bool:
    return str(override.key_or_group).startswith("search.")


def _written(override: Override) -> str:
    return str(override.input_line)
