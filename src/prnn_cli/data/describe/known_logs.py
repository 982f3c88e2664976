"""A path -> the public log whose files lie there, told by their names and columns."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from prnn_cli.data.describe.dataset_settings import dataset_of
from prnn_cli.data.events import event_columns
from prnn_cli.data.formats.log_files import files_within, find_files, open_file
from prnn_cli.data.formats.rows import check_columns
from prnn_cli.data.formats.text_options import TextOptions
from prnn_cli.data.public_logs import PublicLog, public_logs
from prnn_cli.data.source_files import missing_files
from prnn_cli.errors import UserError
from prnn_cli.extensions import config_folders
from prnn_cli.schema import DatasetConfig


@dataclass(frozen=True)
class Recognised:
    """What the files at a path are taken for.

    log, folder: the public log whose files they are, and where they lie; doubt: instead, a sentence where they are
    called like those of a public log and share columns with them, but are others
    """

    log: PublicLog | None = None
    folder: Path | None = None
    doubt: str = ""


def recognised(path: str) -> Recognised:
    """The public log whose files a folder holds, or one of whose files a path is."""
    doubt = ""
    for log, folder in _with_names(path):
        why, shares_columns = _misfit(log, folder)
        if not why:
            return Recognised(log, folder)
        says_something = not all(name.startswith("*") for name in log.source.files)
        if shares_columns and says_something and not doubt:
            doubt = (
                f"{folder} has files that are called like those of {log.source.title} (dataset={log.name}), but they "
                f"are others, or another version: {why}. dataset={log.name} reads {_columns_of(log, folder)}; look for "
                "what is called otherwise here."
            )
    return Recognised(doubt=doubt)


def _with_names(path: str) -> Iterator[tuple[PublicLog, Path]]:
    """Each log all of whose files' names are there, with their folder."""
    given = Path(path).expanduser()
    folder = given if given.is_dir() else given.parent
    if not folder.is_dir():
        return
    for log in public_logs().values():
        is_one = given == folder or any(given in files_within(folder, name) for name in log.source.files)
        if is_one and not missing_files(log.source, folder):
            yield log, folder


def _misfit(log: PublicLog, folder: Path) -> tuple[str, bool]:
    """Why the first rows of the log's files cannot be read as its config says, empty where they can; and whether the
    first file has any of the columns that it should have, but for case and what stands between words."""
    dataset = _config(log, folder)
    wanted, columns = event_columns(dataset), set[str]()
    try:
        files = find_files(dataset.path, within=dataset.files)
        first = next((file for file in files if file.stat().st_size), files[0])
        with contextlib.suppress(UserError):  # however they are separated
            columns |= {*open_file(first, TextOptions(dataset.encoding)).columns}
        opened = open_file(first, TextOptions.of_log(dataset), wanted.values())
        columns |= {*opened.columns}
        check_columns(opened, wanted)
        next(opened.blocks(opened.unique_columns), None)
    except UserError as error:
        return str(error), bool({*map(_plain, wanted.values())} & {*map(_plain, columns)})
    return "", True


def _plain(name: str) -> str:
    """A column's name without what versions of a log often differ in."""
    return re.sub(r"[\W_]", "", name).casefold()


def _columns_of(log: PublicLog, folder: Path) -> str:
    """The columns that the log's config names, in words."""
    columns = event_columns(_config(log, folder))
    return ", ".join(f"{key.removeprefix('columns.')}: {name}" for key, name in columns.items())


def _config(log: PublicLog, folder: Path) -> DatasetConfig:
    name = f"dataset/{log.name}.yaml"
    preset: Any = OmegaConf.load(next(file for root in config_folders() if (file := root / name).is_file()))
    preset.pop("defaults")
    return dataset_of(OmegaConf.merge(preset, {"path": str(folder)}))
