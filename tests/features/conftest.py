"""A log of three items, and commands composed as on the command line."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from prnn_cli.data.prepare import PreparedData, prepare
from prnn_cli.features.extract import extract
from prnn_cli.features.image_extractor import ImageExtractor
from prnn_cli.features.items import ItemCatalogue
from prnn_cli.features.table import FeatureTable
from prnn_cli.schema import DatasetConfig, FeaturesCommand, FeaturesConfig, ImagesConfig
from test_configs import composed

ITEMS = ["a", "b", "c"]  # item_index 0, 1, 2; d is clicked once and left out
CLICKS = ["1,a,10", "1,b,11", "2,b,20", "2,c,21", "3,c,30", "3,a,31", "3,d,32", "4,a,90000", "4,b,90001"]


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., FeaturesCommand]:
    """command("features=text", …): `prnn features` on the log of three items, whose folder is tmp_path."""
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "clicks.csv").write_text("\n".join(["session_id,item_id,time", *CLICKS]) + "\n")
    base = ["dataset=generic", f"dataset.path={tmp_path / 'log'}", "dataset.min_item_support=2"]
    base += [f"cache_dir={tmp_path / 'cache'}", "features.images.workers=0"]

    def build(*overrides: str) -> FeaturesCommand:
        config = composed("features", *base, *overrides)
        assert isinstance(config, FeaturesCommand)
        return config

    return build


@pytest.fixture
def write_items(tmp_path: Path) -> Callable[..., str]:
    """write_items("item_id,title", "a,Red lamp", …): a table of items; returns the override that names it."""

    def write(*lines: str, name: str = "items.csv") -> str:
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        return f"dataset.items.path={tmp_path / name}"

    return write


@pytest.fixture
def paint(tmp_path: Path) -> Callable[..., Path]:
    """paint("images/a.png", "red"): an image of one colour."""

    def save(name: str, colour: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), colour).save(path)
        return path

    return save


@pytest.fixture
def files(tmp_path: Path) -> list[Path | None]:
    """Six images, all different."""
    files: list[Path | None] = []
    for seed in range(6):
        files.append(tmp_path / f"{seed}.png")
        noise(40 + seed, 50, seed).save(tmp_path / f"{seed}.png")
    return files


def prepared(config: FeaturesCommand) -> PreparedData:
    return prepare(config.dataset, Path(config.cache_dir))


def extracted(config: FeaturesCommand) -> dict[str, FeatureTable]:
    return extract(config.features, config.dataset, prepared(config), Path(config.cache_dir), "cpu")


def dense(table: FeatureTable) -> np.ndarray:
    vectors = table.vectors
    return vectors if isinstance(vectors, np.ndarray) else vectors.toarray()


def encoder(kind: type[ImageExtractor], config: ImagesConfig, device: str = "cpu") -> ImageExtractor:
    """An image extractor of no items, whose encoder is tried on files that a test names."""
    catalogue = ItemCatalogue(DatasetConfig(), np.array([], dtype=object))
    return kind(FeaturesConfig(images=config), catalogue, torch.device(device))


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))
