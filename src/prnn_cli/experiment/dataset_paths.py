"""Relative paths in a dataset's YAML, which hold from the folder of that file."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hydra.conf import HydraConf
from omegaconf import DictConfig, OmegaConf

from prnn_cli.experiment.override_text import key_of
from prnn_cli.schema import DatasetConfig, Mark, marked
from prnn_cli.system.paths import absolute_path, with_each_path

GROUP = "dataset"
FROM_ELSEWHERE = ("${dataset.path}", "${oc.env:PRNN_DATA_DIR")  # paths that are no part of the file's own


def with_paths_from_files(config: DictConfig, hydra: HydraConf) -> DictConfig:
    """The configuration as Hydra composed it, with the paths that a dataset's file declares as absolute ones.

    What the command line sets, or another file in place of the dataset's, is relative to the current folder.
    """
    choice = hydra.runtime.choices.get(GROUP)
    if not choice:
        return config
    folders = [Path(each.path) for each in hydra.runtime.config_sources if each.schema == "file"]
    given = [key_of(each) for each in hydra.overrides.task]
    found = config.copy()
    composed = OmegaConf.to_container(config[GROUP])
    for key, (value, folder) in _declared(str(choice), marked(DatasetConfig, Mark.PATH), folders).items():
        name = f"{GROUP}.{key}"
        if any(f"{name}.".startswith(f"{each}.") for each in given if each != GROUP):
            continue
        if _select(composed, key) == value:
            paths = OmegaConf.select(config, name)
            plain = OmegaConf.to_container(paths, resolve=True) if OmegaConf.is_config(paths) else paths
            OmegaConf.update(found, name, with_each_path(plain, partial(_path_from, folder)))
    return found


def _path_from(folder: Path, path: str) -> str:
    return str(absolute_path(folder / Path(path).expanduser()))


def _declared(choice: str, keys: Sequence[str], folders: Sequence[Path]) -> dict[str, tuple[Any, Path]]:
    """The paths that the file of the choice, or one of its defaults, gives for the keys, each with its folder; of an
    option that names several files all of them."""
    files = (folder / GROUP / f"{choice}.yaml" for folder in folders)
    file = next((each for each in files if each.is_file()), None)
    if file is None:
        return {}
    content: Any = OmegaConf.to_container(OmegaConf.load(file))
    values = {key: _select(content, key) for key in keys}
    found = {
        key: (value, file.parent)
        for key, value in values.items()
        if isinstance(value, str | list | dict)
        and value != "???"
        and not any(name in str(value) for name in FROM_ELSEWHERE)
    }
    for default in reversed(content.get("defaults", [])):
        if not isinstance(default, str) or default == "_self_":
            continue
        of_same_folder = f"{choice.rpartition('/')[0]}/{default}".lstrip("/")
        name = default.removeprefix(f"/{GROUP}/") if default.startswith("/") else of_same_folder
        found = _declared(name, keys, folders) | found
    return found


def _select(content: Any, key: str) -> Any:
    for name in key.split("."):
        content = content.get(name) if isinstance(content, dict) else None
    return content
