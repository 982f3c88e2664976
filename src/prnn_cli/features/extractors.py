"""One class a way to make vectors: the values of `features.sources`."""

import dataclasses
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from scipy.sparse import csr_array, vstack

from prnn_cli.data.synthetic.profile import has_image_files
from prnn_cli.errors import UserError
from prnn_cli.features.colour import colour_histograms
from prnn_cli.features.googlenet import weights_file
from prnn_cli.features.image_files import extract_images
from prnn_cli.features.items import PLACEHOLDER, ItemCatalogue
from prnn_cli.features.precomputed import precomputed
from prnn_cli.features.table import Vectors
from prnn_cli.features.text import joined, stopwords, tfidf
from prnn_cli.schema import DatasetConfig, FeaturesConfig


class Extractor(Protocol):
    """Made of the settings, the items they are about, and the device for what computes on one."""

    def __init__(self, features: FeaturesConfig, catalogue: ItemCatalogue, device: torch.device) -> None: ...

    @staticmethod
    def check(features: FeaturesConfig, dataset: DatasetConfig) -> None:
        """Raises `UserError` for options that are missing or wrong; called before anything is read."""

    def identity(self) -> tuple[Any, list[Path]]:
        """What the vectors depend on: settings (JSON), and files by their content."""

    def extract(self, parts: Path) -> tuple[Vectors, np.ndarray]:
        """Vectors (num_items, F) float32 or float16, and (num_items,) bool which of them say something.

        `parts`: a folder for what an interrupted extraction need not do again.
        """


class Tfidf:
    def __init__(self, features: FeaturesConfig, catalogue: ItemCatalogue, device: torch.device) -> None:
        self.config, self.catalogue = features.tfidf, catalogue

    @staticmethod
    def check(features: FeaturesConfig, dataset: DatasetConfig) -> None:
        stopwords(features.tfidf.stopwords)
        if not dataset.items.text:
            raise UserError(
                f"features={features.name} needs text, and dataset={dataset.name} names none; set "
                "dataset.items.text=[title,description] to its columns (dataset.items.path to their table), or train "
                "on the ids alone with arch=id_only"
            )

    def identity(self) -> tuple[Any, list[Path]]:
        items = self.catalogue.dataset.items
        return [dataclasses.asdict(self.config), items.item_id, items.text], self.catalogue.files

    def extract(self, parts: Path) -> tuple[csr_array, np.ndarray]:
        of_table = tfidf(joined(self.catalogue.text_columns()), self.config)
        empty = csr_array((1, of_table.shape[1]), dtype=np.float32)
        vectors = csr_array(
            vstack([of_table, empty], format="csr")[self.catalogue.rows]
        )  # row −1 is the empty one
        return vectors, np.diff(vectors.indptr) > 0


class OfImages:
    """What the ways to describe pictures have in common."""

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
                f"{dataset.scale}: above {dataset.profile.max_image_files} items it gives vectors that stand for them; "
                "set features=precomputed, which takes them, or a smaller dataset.scale"
            )
        if (items.image is None) == (items.image_pattern is None):
            given = "names none" if items.image is None else "gives both image and image_pattern"
            raise UserError(
                f"features={features.name} needs image files, and dataset={dataset.name} {given}; set either "
                "dataset.items.image to a column of paths, or dataset.items.image_pattern to such as "
                "images/{item_id}.jpg"
            )
        if items.image_pattern is not None and PLACEHOLDER not in items.image_pattern:
            raise UserError(
                f"dataset.items.image_pattern={items.image_pattern} gives every item the same image; "
                f"write {PLACEHOLDER} where the item's id belongs"
            )

    def identity(self) -> tuple[Any, list[Path]]:
        """Names, sizes and times stand for the images' content, which may be gigabytes."""
        stamps = [(file.stat().st_size, file.stat().st_mtime_ns) if file else None for file in self.files]
        names = [str(file.relative_to(self.catalogue.folder)) if file else None for file in self.files]
        return [self.config.max_bad_share, names, stamps], self.catalogue.files


class ColourHistogram(OfImages):
    def extract(self, parts: Path) -> tuple[np.ndarray, np.ndarray]:
        return colour_histograms(self.files, self.config)


class GoogLeNet(OfImages):
    @staticmethod
    def check(features: FeaturesConfig, dataset: DatasetConfig) -> None:
        OfImages.check(features, dataset)
        if features.images.weights is not None:
            weights_file(features.images.weights, Path())

    def identity(self) -> tuple[Any, list[Path]]:
        settings, files = super().identity()
        if self.config.weights is None:
            return settings, files
        return [settings, "own weights"], [Path(self.config.weights).expanduser(), *files]

    def extract(self, parts: Path) -> tuple[np.ndarray, np.ndarray]:
        return extract_images(self.files, self.config, self.device, parts)


class Precomputed:
    """Vectors of `features.precomputed.path`, else those of the data set, one for each row of its items table."""

    def __init__(self, features: FeaturesConfig, catalogue: ItemCatalogue, device: torch.device) -> None:
        self.config, self.catalogue = features.precomputed, catalogue
        items = catalogue.dataset.items
        if self.config.path is None:
            ids = self.config.item_ids or items.path
            self.config = dataclasses.replace(self.config, path=items.vectors, item_ids=ids)

    @staticmethod
    def check(features: FeaturesConfig, dataset: DatasetConfig) -> None:
        config = features.precomputed
        profile = dataset.profile
        if config.path is None and profile is not None and has_image_files(profile, dataset.scale or 1.0):
            raise UserError(
                f"features={features.name} needs vectors, and dataset={dataset.name} has image files at dataset.scale="
                f"{dataset.scale}; set features=image or colour_histogram, or dataset.profile.max_image_files=0 for "
                "vectors instead of them"
            )
        if config.path is None and profile is None and dataset.items.vectors is None:
            raise UserError(
                f"features={features.name} needs vectors; add features.precomputed.path=FILE (.npy, .safetensors "
                "or .parquet)"
            )
        files = {"features.precomputed.path": config.path, "features.precomputed.item_ids": config.item_ids}
        for option, path in (files | {"dataset.items.vectors": dataset.items.vectors}).items():
            if path is not None and not Path(path).expanduser().is_file():
                raise UserError(f"{option}={path} is not there; give a file")

    def identity(self) -> tuple[Any, list[Path]]:
        paths = [self.config.path, self.config.item_ids]
        files = [Path(path).expanduser() for path in paths if path is not None]
        return [self.config.normalise, [file.suffix for file in files]], files

    def extract(self, parts: Path) -> tuple[np.ndarray, np.ndarray]:
        return precomputed(self.config, self.catalogue.item_ids)


EXTRACTORS: dict[str, type[Extractor]] = {
    "tfidf": Tfidf,
    "googlenet": GoogLeNet,
    "colour_histogram": ColourHistogram,
    "precomputed": Precomputed,
}
