"""The folders of configs that a command line names: their files are looked at before Hydra loads any."""

import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from yaml import YAMLError

from prnn_cli.errors import UserError
from prnn_cli.extensions import config_folders
from prnn_cli.system.yaml_files import check_yaml


def check_config_folders(places: Sequence[object]) -> None:
    """Raises `UserError` for a package, which Hydra would import, and for a file that would fill the memory.

    places: folders as Hydra's search path names them, perhaps with file:// before them
    """
    own = {f"file://{folder}" for folder in config_folders()} | {"pkg://hydra.conf", "structured://"}
    for place in map(str, places):
        folder = place.removeprefix("file://")
        if "://" in folder and place not in own:
            raise UserError(
                f"{place} is no folder; hydra.searchpath may name folders alone, as file://FOLDER"
            )
        if place not in own:
            _check_folder(Path(folder).absolute())


@cache
def _check_folder(folder: Path) -> None:
    for file in _config_files(folder):
        try:
            check_yaml(file.read_text(encoding="utf-8"))
        except (OSError, YAMLError, UnicodeDecodeError):
            continue  # Hydra says what is wrong with it, if it is asked for
        except ValueError as error:
            raise UserError(f"{file} cannot be used: {error}") from error


def _config_files(folder: Path) -> Iterator[Path]:
    """The YAML files in a folder and below it, links to other folders followed."""
    seen: set[str] = set()
    for path, folders, files in os.walk(folder, followlinks=True):
        if (real := os.path.realpath(path)) in seen:
            folders.clear()
            continue
        seen.add(real)
        yield from (Path(path, name) for name in files if name.endswith((".yaml", ".yml")))
