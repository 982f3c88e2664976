"""Hydra for one command line: what it composes is kept, as the plan, Hydra and its launchers ask for the same again."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra import version
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.config_search_path import ConfigSearchPath, SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import DictConfig

from prnn_cli.app.safety import CheckedLoader
from prnn_cli.errors import UserError
from prnn_cli.experiment.settings import other_hydra_set_aside

KEPT = 500  # configurations; a longer sweep composes the others again


class ConfigLoader(CheckedLoader):
    """Hydra's loader, checked, which composes the same overrides once."""

    def __init__(self, config_search_path: ConfigSearchPath) -> None:
        super().__init__(config_search_path)
        self._composed: dict[Any, DictConfig] = {}

    def load_configuration(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool = True,
        validate_sweep_overrides: bool = True,
    ) -> DictConfig:
        """A copy of the configuration, unresolved, so that each caller's time of day is its own."""
        key = (config_name, tuple(overrides), run_mode, validate_sweep_overrides)
        if (config := self._composed.get(key)) is None:
            config = super().load_configuration(
                config_name, overrides, run_mode, from_shell, validate_sweep_overrides
            )
            if len(self._composed) < KEPT:
                self._composed[key] = config
        return copy.deepcopy(config)

    def __getstate__(self) -> dict[str, Any]:
        """What a launcher's processes get: they compose one job each."""
        return self.__dict__ | {"_composed": {}}


@contextmanager
def hydra_of(command: str, configs: Path, config_dir: str | None) -> Iterator[Hydra]:
    """Hydra on the folder of a command's configs and, after it, one of the user's (-cd), for `hydra.compose` too.

    Raises `UserError` where the user's folder is none.
    """
    version.setbase("1.3")
    search_path = create_config_search_path(str(configs))
    if config_dir is not None:
        folder = Path(config_dir).absolute()
        if not folder.is_dir():
            raise UserError(
                f"-cd {config_dir} is no folder; give one that holds configs, such as dataset/shop.yaml"
            )
        search_path.prepend("command-line", f"file://{folder}", SearchPathQuery(provider="schema"))
    app = Hydra(command, ConfigLoader(search_path))
    with other_hydra_set_aside():
        GlobalHydra.instance().initialize(app)
        yield app
