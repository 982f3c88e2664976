"""Dataset configs and small logs for the tests of this folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from omegaconf import DictConfig, OmegaConf

from prnn_cli.schema import DatasetConfig

CONFIGS = Path(__file__).parents[2] / "configs" / "dataset"


@pytest.fixture
def dataset_config() -> Callable[..., DatasetConfig]:
    """dataset_config(name, key=value, …): a shipped dataset config with some of its options changed."""

    def build(name: str = "generic", **overrides: Any) -> DatasetConfig:
        merged = OmegaConf.merge(OmegaConf.structured(DatasetConfig), *_files(name), overrides)
        return cast(DatasetConfig, OmegaConf.to_object(merged))

    return build


def _files(name: str) -> list[DictConfig]:
    """The option's file after those of its defaults."""
    file = cast(DictConfig, OmegaConf.load(CONFIGS / f"{name}.yaml"))
    defaults = [each for base in file.pop("defaults", []) for each in _files(base)]
    return [*defaults, file]


@pytest.fixture
def write_log(tmp_path: Path) -> Callable[..., str]:
    """write_log("1 a 100", …): a CSV of session_id, item_id, time rows; returns its path."""

    def write(*rows: str, name: str = "clicks.csv") -> str:
        lines = ["session_id,item_id,time", *(row.replace(" ", ",") for row in rows)]
        (tmp_path / name).write_text("\n".join(lines) + "\n")
        return str(tmp_path / name)

    return write
