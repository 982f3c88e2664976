"""What Hydra does anew for each composition, though jobs of a sweep, or commands, differ in a few options: kept.

It parses all files, and merges them. Both are half of the time that a composition takes.
"""

import copy
import pickle
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import ConfigRepository, IConfigRepository
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.default_element import ResultDefault
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig, OmegaConf

KEPT = 2000  # files and merged configurations, of some 10 kB each; others are made again
_kept: dict[object, bytes] = {}


class Repository(ConfigRepository):
    """Hydra's repository, which parses a file once, as long as it holds the same."""

    def __deepcopy__(self, memo: dict[int, Any]) -> "Repository":
        """What Hydra makes for each composition, which may give it other sources.

        These need no copies: one of them holds the schemas of all commands, and hands out copies itself.
        """
        return copy.copy(self)

    def load_config(self, config_path: str) -> ConfigResult | None:
        """A copy for each composition, which merges others into it. config_path: GROUP/CHOICE"""
        source = self._find_object_source(config_path, ObjectType.CONFIG)
        if source is None or source.scheme() != "file":
            return super().load_config(config_path)
        content = Path(source.path, source._normalize_file_name(config_path)).read_bytes()
        key = (source.provider, source.path, config_path, content)
        result: ConfigResult | None = _made_once(key, lambda: ConfigRepository.load_config(self, config_path))
        return result


class KeepingLoader(ConfigLoaderImpl):
    """Hydra's loader, which merges the same files in the same order once; options on the command line come after."""

    def __init__(self, config_search_path: ConfigSearchPath) -> None:
        super().__init__(config_search_path)
        self.repository = Repository(config_search_path)

    def _compose_config_from_defaults_list(
        self, defaults: list[ResultDefault], repo: IConfigRepository
    ) -> DictConfig:
        merge = super()._compose_config_from_defaults_list
        parts = [(each, repo.load_config(each.config_path)) for each in defaults if each.config_path]
        try:
            key = sha256(pickle.dumps(parts)).digest()
        except (pickle.PicklingError, AttributeError, TypeError):  # the schema is a class within a function
            return merge(defaults, repo)
        merged: DictConfig = _made_once(key, lambda: merge(defaults, repo))
        OmegaConf.clear_cache(merged)  # of the time of day, which merging asks for
        return merged


def _made_once(key: object, make: Callable[[], Any]) -> Any:
    """A copy of what was made for the key, which pickle makes several times as fast as `copy.deepcopy`."""
    if (pickled := _kept.get(key)) is None:
        pickled = pickle.dumps(make())
        if len(_kept) < KEPT:
            _kept[key] = pickled
    return pickle.loads(pickled)
