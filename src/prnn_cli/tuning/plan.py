"""Searches as the command line asks for them: alone (search=NAME), or first, for what follows (tune=[NAME])."""

from collections.abc import Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import OmegaConf

from prnn_cli.errors import UserError
from prnn_cli.system.extras import require

SWEEPER = "hydra_plugins.prnn.OptunaSweeper"
OF_THE_ROWS = ("row", "seeds", "tune")


def check_search(given: Sequence[Override]) -> None:
    """Raises `UserError` for a search that cannot begin, as far as the command line shows it."""
    require("hydra/sweeper=optuna")
    config = compose("train", [_line(each) for each in given if not each.is_sweep_override()], True)
    if OmegaConf.select(config, "hydra.sweeper._target_") != SWEEPER:
        raise UserError("search=NAME needs hydra/sweeper=optuna, which it sets; leave the other sweeper out")
    if config.seeds > 1:
        raise UserError("seeds=N does not go with search=NAME; repeat what is trained with its best settings")


def chain(overrides: Sequence[str], configs: Path, config_dir: str | None = None) -> list[list[str]]:
    """The overrides of each command line that tune=[…] makes of one: the searches, then the command itself with what
    they found. Empty where nothing is to be tuned first."""
    with initialize_config_dir(str(configs), version_base="1.3"):
        given = parsed([*search_path(config_dir), *overrides])
        single = [each for each in given if not each.is_sweep_override()]
        config = compose("train", [_line(each) for each in single if not _of_a_search(each)], True)
        if not config.tune or config.search is not None:
            return []
        require("hydra/sweeper=optuna")
        folder = Path(config.hydra.sweep.dir) / "search"
    shared = [_line(each) for each in single if each.key_or_group not in OF_THE_ROWS and not _places(each)]
    searches = [[f"search={name}", f"search.folder={folder}", "tune=[]", *shared] for name in config.tune]
    kept = [
        _line(each) for each in given if not _of_a_search(each) and each.key_or_group != "hydra.searchpath"
    ]
    tuned = [*search_path(str(folder), config_dir), f"tuned=[{','.join(config.tune)}]", "tune=[]"]
    return [*searches, [*kept, *tuned]]


def search_path(*folders: str | None) -> list[str]:
    """The override that has Hydra look for configs in these folders too."""
    named = [f"'file://{Path(folder).absolute()}'" for folder in folders if folder]
    return [f"hydra.searchpath=[{','.join(named)}]"] if named else []


def parsed(overrides: Sequence[str]) -> list[Override]:
    return OverridesParser.create(GlobalHydra.instance().config_loader()).parse_overrides(list(overrides))


def _places(override: Override) -> bool:
    """Whether it says where the command's runs go, and not who runs them."""
    key = str(override.key_or_group)
    return key.startswith("hydra") and not key.startswith(("hydra/launcher", "hydra.launcher"))


def _of_a_search(override: Override) -> bool:
    return str(override.key_or_group).startswith("search.")


def _line(override: Override) -> str:
    return str(override.input_line)
