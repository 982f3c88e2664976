"""Relative paths in a dataset's YAML, which hold from the folder of that file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.conf import HydraConf
from omegaconf import DictConfig, OmegaConf

from prnn_cli.schema import DatasetConfig, Mark, marked
from prnn_cli.system.paths import absolute_path

GROUP = "dataset"


def with_paths_from_files(config: DictConfig, hydra: HydraConf) -> DictConfig:
    """The configuration as Hydra composed it, with the paths that a dataset's file declares as absolute ones.

    What the command line sets, or another file in place of the dataset's, is relative to the current folder.
    """
    choice = hydra.runtime.choices.get(GROUP)
    if not choice:
        return config
    folders = [Path(each.path) for each in hydra.runtime.config_sources if each.schema == "file"]
    given = [each.lstrip("+").partition("=")[0] for each in hydra.overrides.task]
    found = config.copy()
    for key in marked(DatasetConfig, Mark.PATH):
        name = f"{GROUP}.{key}"
        if any(f"{name}.".startswith(f"{each}.") for each in given if each != GROUP):
            continue
        declared = _declared(str(choice), key, folders)
        if declared is None or _select(OmegaConf.to_container(config[GROUP]), key) != declared[0]:
            continue
        path = Path(str(OmegaConf.select(config, name))).expanduser()
        OmegaConf.update(found, name, str(absolute_path(declared[1] / path)))
    return found


def _declared(choice: str, key: str, folders: Sequence[Path]) -> tuple[str, Path] | None:
    """The path that the file of the choice, or one of its defaults, gives for the key, and that file's folder."""
    files = (folder / GROUP / f"{choice}.yaml" for folder in folders)
    file = next((each for each in files if each.is_file()), None)
    if file is None:
        return None
    content: Any = OmegaConf.to_container(OmegaConf.load(file))
    if isinstance(value := _select(content, key), str) and value != "???":
        return value, file.parent
    for default in reversed(content.get("defaults", [])):
        if not isinstance(default, str) or default == "_self_":
            continue
        of_same_folder = f"{choice.rpartition('/')[0]}/{default}".lstrip("/")
        name = default.removeprefix(f"/{GROUP}/") if default.startswith("/") else of_same_folder
        if found := _declared(name, key, folders):
            return found
    return None


def _select(content: Any, key: str) -> Any:
    for name in key.split("."):
        content = content.get(name) if isinstance(content, dict) else None
    return content
