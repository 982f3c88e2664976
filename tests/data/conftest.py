"""Dataset configs and small logs for the tests of this folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pyarrow as pa
import pytest
from omegaconf import DictConfig, OmegaConf
from split_logs import Split

from prnn_cli.data.events import Events, read_events
from prnn_cli.data.split import SplitLog, split_sessions
from prnn_cli.schema import DatasetConfig

HEADER = "session_id,item_id,time\n"
CLICKS = [("7", "a", 1000), ("8", "café", 1001), ("7", "b", 1002), ("8", "a", 1003), ("8", "b", 1004)]
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


@pytest.fixture
def read(dataset_config: Callable[..., DatasetConfig], tmp_path: Path) -> Callable[..., Events]:
    """read(content, option=…): the log in a file of that text, or that content(path) writes; its name is `file`."""

    def read_content(
        content: str | bytes | Callable[[Path], None], file: str = "clicks.csv", **options: Any
    ) -> Events:
        path = tmp_path / file
        if callable(content):
            content(path)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_events(dataset_config(path=str(path), **options))

    return read_content


@pytest.fixture
def read_parquet(dataset_config: Callable[..., DatasetConfig], tmp_path: Path) -> Callable[..., Events]:
    def read_frame(frame: dict[str, Any], **options: Any) -> Events:
        pd.DataFrame(frame).to_parquet(tmp_path / "clicks.parquet")
        return read_events(dataset_config(path=str(tmp_path / "clicks.parquet"), **options))

    return read_frame


def rows(events: Events) -> list[tuple[str, str, float]]:
    sessions, names = events.session_ids.take(events.session), events.item_ids.take(events.item)
    return list(zip(sessions.to_pylist(), names.to_pylist(), events.time, strict=True))


def items(events: Events) -> str:
    return " ".join(item for _, item, _ in rows(events))


def delimited(separator: str, unit: int = 1) -> bytes:
    lines = [("session_id", "item_id", "time"), *((s, i, t * unit) for s, i, t in CLICKS)]
    return "".join(separator.join(map(str, line)) + "\n" for line in lines).encode()


def json_lines() -> bytes:
    return "".join(
        json.dumps({"session_id": int(s), "item_id": i, "time": t}) + "\n" for s, i, t in CLICKS
    ).encode()


def zstd(content: bytes) -> bytes:
    return bytes(pa.compress(content, codec="zstd", asbytes=True))


@pytest.fixture
def split(dataset_config: Callable[..., DatasetConfig], write_log: Callable[..., str]) -> Split:
    """split("1 a 100", …, option=…): the log of these rows; every item is frequent enough by default."""

    def split_rows(*rows: str, **options: Any) -> SplitLog:
        dataset = dataset_config(**{"path": write_log(*rows), "min_item_support": 1} | options)
        return split_sessions(read_events(dataset), dataset)

    return split_rows
