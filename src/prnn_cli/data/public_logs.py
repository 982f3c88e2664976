"""Public logs (datasets with a `source`): what their configs tell of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from prnn_cli.data.source_files import missing_files
from prnn_cli.data.splits.rules import SPLITS
from prnn_cli.errors import UserError, first_line
from prnn_cli.extensions import config_folders, own_configs
from prnn_cli.schema import SourceConfig
from prnn_cli.system.yaml_files import LOADER

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
    for name in [each for each in SPLITS[split].options if each not in ("test_path", "window")]:
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
