"""The base of extractors that describe images one by one."""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from prnn_cli.data.synthetic.profile import has_image_files
from prnn_cli.errors import UserError
from prnn_cli.features.image_files import ImageEncoder, extract_images
from prnn_cli.features.items import PLACEHOLDER, ItemCatalogue
from prnn_cli.schema import DatasetConfig, FeaturesConfig


class ImageExtractor(ImageEncoder):
    """Extracts a vector of each item's image file; a subclass says how, with `size` and `describe` (`ImageEncoder`).

    Files are read by several processes, and what was finished before an interruption is not done again.
    """

    def __init__(self, features: FeaturesConfig, catalogue: ItemCatalogue, device: torch.device) -> None:
        self.config, self.catalogue, self.device = features.images, catalogue, device

    @cached_property
    def files(self) -> list[Path | None]:
        return self.catalogue.images(self.config.max_bad_share)

    @staticmethod
    def check(features: FeaturesConfig, dataset: DatasetConfig) -> None:
        items = dataset.items
        if dataset.profile is not None and not has_image_files(dataset.profile, dataset.scale or 1.0):
            raise UserError(
                f"features={features.name} needs image files, and dataset={dataset.name} has none at dataset.scale="
                f"{dataset.scale}: above {dataset.profile.max_image_files} items it has vectors that stand for them; "
                "set features=precomputed, which takes them, or a smaller dataset.scale"
            )
        if (items.image is None) == (items.image_pattern is None):
            given = "names none" if items.image is None else "gives both image and image_pattern"
            raise UserError(
                f"features={features.name} needs image files, and dataset={dataset.name} {given}; set either "
                "dataset.items.image to a column of paths, or dataset.items.image_pattern to such as "
                "images/{item_id}.jpg"
            )
        if items.image_pattern is not None:
            _check_pattern(items.image_pattern)

    def identity(self) -> tuple[Any, list[Path]]:
        """Names, sizes and times stand for the images' content, which may be gigabytes."""
        stamps = [(file.stat().st_size, file.stat().st_mtime_ns) if file else None for file in self.files]
        names = [str(file.relative_to(self.catalogue.folder)) if file else None for file in self.files]
        return [self.config.max_bad_share, names, stamps], self.catalogue.files

    def extract(self, parts: Path) -> tuple[np.ndarray, np.ndarray]:
        return extract_images(self.files, self, self.config, parts)


def _check_pattern(pattern: str) -> None:
    rest, num_ids = PLACEHOLDER.subn("", pattern)
    if "{item_id" in rest:
        raise UserError(
            f"dataset.items.image_pattern={pattern} is no pattern; write {{item_id}} for an item's id, and "
            "{item_id:.3} for the first three characters of it"
        )
    if not num_ids:
        raise UserError(
            f"dataset.items.image_pattern={pattern} gives every item the same image; write {{item_id}} where the "
            "item's id belongs"
        )
