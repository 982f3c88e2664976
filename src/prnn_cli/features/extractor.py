"""What makes vectors of items: the interface of all values of `features.sources`."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from prnn_cli.extensions import chosen
from prnn_cli.features.items import ItemCatalogue
from prnn_cli.features.table import Vectors
from prnn_cli.schema import DatasetConfig, FeaturesConfig


class Extractor(Protocol):
    """A way to make a vector of each item, constructed from the settings, the items, and the device to compute on.

    Of the vectors that come with a dataset, `dataset.items.vectors` and `vector_columns`, it is shown those of the
    source of features that it feeds.

    A module that defines `EXTRACTORS = {"its_name": Class}` with a class of these methods adds one. No base class is
    needed, but `ImageExtractor` leaves little to do where images are described. An extractor with options of its own
    has their dataclass as the attribute `options`, and finds them in `features.options["its_name"]`.
    One whose vectors are sparse says so by `is_sparse = True`. One that needs a file from elsewhere, such as weights,
    has a static method `fetch(features)`, which gets it before the log is read, or raises `UserError`. One that learns
    from all items what it needs for further ones, such as a vocabulary, leaves it in the attribute `fitted` (arrays by
    name) when it has extracted, and has a method `extract_new(fitted)`, which returns what `extract` does for the items
    of its catalogue; others extract those as they did the first ones.

    `extract.py` calls `check` before anything is read, then `identity`, and `extract` only where its cache has no
    vectors of that identity.
    """

    def __init__(self, features: FeaturesConfig, catalogue: ItemCatalogue, device: torch.device) -> None: ...

    @staticmethod
    def check(features: FeaturesConfig, dataset: DatasetConfig) -> None:
        """Raises `UserError` for options that are missing or wrong."""

    def identity(self) -> tuple[Any, list[Path]]:
        """Settings (JSON), and files by their content: all that the vectors depend on, but the prepared log."""

    def extract(self, parts: Path) -> tuple[Vectors, np.ndarray]:
        """Vectors (num_items, F) float32 or float16 by item_index, and (num_items,) bool which of them say something.

        `parts` is a folder, which need not exist, for what an interrupted extraction need not do again; it is removed
        when the vectors are stored. Raises `UserError` for what cannot be made into vectors.
        """


def is_sparse(how: str) -> bool:
    """Whether the extractor of this name makes sparse vectors, which are read by the rows of their non-zeros."""
    return bool(getattr(chosen("EXTRACTORS", how, "features.sources"), "is_sparse", False))
