"""Public logs (datasets with a `source`): what their configs tell of them, and whether their files are there."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from prnn_cli.data.formats.log_files import files_within
from prnn_cli.errors import UserError, first_line
from prnn_cli.extensions import config_folders, own_configs
from prnn_cli.schema import DatasetConfig, SourceConfig
from prnn_cli.system.yaml_files import LOADER

SPLIT_OPTIONS = {  # split -> what else of a dataset's config says how it is made
    "days": ("test_days", "days", "test_from", "test_until", "test_by"),
    "gru4rec2023": ("test_days",),
    "share": ("test_share",),
}
SHOWN = 6  # names of a folder's files, in a message
DESCRIBED_BY = {  # the choice of features with which a log is best begun -> what its items have
    "none": "",
    "text": "text",
    "image": "images",
    "image_and_text": "text, images",
    "vector_columns": "text and image vectors",
    "precomputed": "vectors",
}


@dataclass(frozen=True)
class PublicLog:
    """A public log as its config tells of it.

    about: the comment at the config's top; folder: where its files are looked for, unless dataset.path says so;
    split: the options that make its test part, as they would be written
    """

    name: str
    about: str
    folder: Path
    split: str
    source: SourceConfig

    @property
    def described_by(self) -> str:
        """What is known of its items, in words; empty where nothing is."""
        return DESCRIBED_BY.get(self.source.features, self.source.features)

    @property
    def files(self) -> dict[str, str]:
        """All its files, name or glob -> what it holds, with those that the log itself does without marked as such."""
        return {
            **self.source.files,
            **{name: f"{what} (optional)" for name, what in self.source.optional.items()},
        }

    @property
    def is_here(self) -> bool:
        """Whether its folder holds all files of the log."""
        return self.folder.is_dir() and not missing_files(self.source, self.folder)


def public_logs() -> dict[str, PublicLog]:
    """Every public log by its name, those of extensions too. Reads YAML alone.

    Raises `UserError` for a config whose source cannot be read.
    """
    return {log.name: log for log in _public_logs()}


def _public_logs() -> Iterator[PublicLog]:
    generic = _read((own_configs() / "dataset" / "generic.yaml").read_text(encoding="utf-8"))
    for file in (each for folder in config_folders() for each in sorted(folder.glob("dataset/*.yaml"))):
        text = file.read_text(encoding="utf-8")
        if not re.search(r"^source:(?! *null)", text, re.MULTILINE):
            continue
        try:
            config = _read(text)
            source = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(SourceConfig), config.source))
        except (YAMLError, OmegaConfBaseException) as error:
            raise UserError(
                f"the source in {file} cannot be read: {first_line(error)}; it has "
                f"{', '.join(each.name for each in fields(SourceConfig))}"
            ) from error
        assert isinstance(source, SourceConfig)
        yield PublicLog(file.stem, head_of(text), Path(str(config.path)), _split(config, generic), source)


def _read(text: str) -> Any:
    """A dataset's config; by the parser in C, as Hydra's own would take a quarter of a second for all of them."""
    content = yaml.load(text, LOADER)
    return OmegaConf.create(
        {key: str(each) if isinstance(each, date) else each for key, each in content.items()}
    )


def _split(config: Any, generic: Any) -> str:
    split = config.get("split", generic.split)
    told = {"split": split}
    for name in SPLIT_OPTIONS.get(split, ()):
        told[name] = config.get(name, generic[name])
    if told.get("test_from"):  # instead of the last days
        del told["test_days"], told["days"]
    return " ".join(f"dataset.{name}={value}" for name, value in told.items() if value is not None)


def head_of(text: str) -> str:
    """The comment at the top of a config, its lines joined."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    return " ".join(lines)


def check_files(dataset: DatasetConfig) -> None:
    """Raises `UserError` where the folder of a public log lacks a file that the log needs."""
    if dataset.source is None:
        return
    folder = Path(str(dataset.path)).expanduser()
    advice = f"prnn datasets {dataset.name} says how to get them"
    if not folder.is_dir():
        wrong = "is a file" if folder.exists() else "does not exist"
        raise UserError(
            f"dataset.path={dataset.path} {wrong}; dataset={dataset.name} reads the folder that holds "
            f"{', '.join(dataset.source.files)}; {advice}"
        )
    if missing := missing_files(dataset.source, folder):
        name, what = next(iter(missing.items()))
        raise UserError(
            f"dataset.path={dataset.path} lacks {name} ({what}), which dataset={dataset.name} reads; it holds "
            f"{_content(folder)}{_elsewhere(folder, name)}; {advice}"
        )


@contextmanager
def advised(dataset: DatasetConfig) -> Iterator[None]:
    """Has a `UserError` over a file of a public log say where it comes from."""
    try:
        yield
    except UserError as error:
        if dataset.source is None:
            raise
        raise UserError(
            f"{error} (dataset={dataset.name} reads the files of {dataset.source.title}; prnn datasets {dataset.name} "
            "says which, and how to get them)"
        ) from error


def missing_files(source: SourceConfig, folder: Path, with_optional: bool = False) -> dict[str, str]:
    """The files that the log needs and a folder does not hold, with what they are."""
    wanted = {**source.files, **(source.optional if with_optional else {})}
    return {name: what for name, what in wanted.items() if not files_within(folder, name)}


def _content(folder: Path) -> str:
    names = sorted(entry.name + "/" * entry.is_dir() for entry in folder.iterdir())
    others = [f"{len(names) - SHOWN} others"] if len(names) > SHOWN else []
    return ", ".join([*names[:SHOWN], *others]) or "nothing"


def _elsewhere(folder: Path, name: str) -> str:
    """Where below the folder the file lies, as archives unpack into folders of their own."""
    for inner in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
        if files_within(inner, name):
            return f" (it lies in {inner}: give dataset.path={inner})"
    return ""
