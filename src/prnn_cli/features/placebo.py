"""Placebos: vectors that look like an item's features and say nothing about it.

What real features gain beyond a placebo is content; what a placebo gains beyond a network of IDs is capacity.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import csr_array

from prnn_cli.features.extractor import Extractor
from prnn_cli.features.table import FeatureTable, Vectors

KINDS = ("shuffled", "noise", "constant", "ids")


class Placebo:
    """An `Extractor` that draws a placebo for the vectors of another one, which are made once for all placebos."""

    def __init__(self, real: Extractor, table: Callable[[], FeatureTable], kind: str, seed: int) -> None:
        """table: of the real vectors; kind: one of `KINDS`; seed: of what is drawn"""
        self.real, self.table, self.kind, self.seed = real, table, kind, seed

    def identity(self) -> tuple[Any, list[Path]]:
        settings, files = self.real.identity()
        seed = None if self.kind == "ids" else self.seed  # nothing is drawn there
        return [settings, "placebo", self.kind, seed], files

    def extract(self, parts: Path) -> tuple[Vectors, np.ndarray]:
        real = self.table()
        covered = np.ones_like(real.covered) if self.kind == "ids" else real.covered
        return drawn(real.vectors, covered, self.kind, self.seed), covered


def drawn(vectors: Vectors, covered: np.ndarray, kind: str, seed: int) -> Vectors:
    """A placebo for vectors (num_items, F), of their type; items without features stay without, but for `ids`.

    shuffled: each item has the vector of another one, so that the table as a whole is the same
    noise: vectors as long as the item's own, in directions drawn at random; sparse ones have as many non-zeros, of the
        same values, in columns drawn at random
    constant: all items have the vector of one
    ids: each item has a column of its own, also one without features, so that the network is a second one of IDs;
        always sparse
    """
    if kind == "ids":
        return csr_array(sparse.eye_array(len(covered), dtype=np.float32))
    rng = np.random.default_rng(seed)
    items = np.flatnonzero(covered)
    if kind == "noise":
        return _noise_sparse(vectors, rng) if isinstance(vectors, csr_array) else _noise_dense(vectors, rng)
    source = np.arange(len(covered))
    if len(items):
        source[items] = rng.permutation(items) if kind == "shuffled" else rng.choice(items)
    taken: Vectors = vectors[source]
    return taken


def _noise_dense(vectors: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    noise = rng.standard_normal(vectors.shape, dtype=np.float32)
    lengths = np.linalg.norm(vectors.astype(np.float32), axis=1) / np.linalg.norm(noise, axis=1)
    scaled: np.ndarray = (noise * lengths[:, None]).astype(vectors.dtype)
    return scaled


def _noise_sparse(vectors: csr_array, rng: np.random.Generator) -> csr_array:
    columns = np.concatenate(
        [
            np.sort(rng.choice(vectors.shape[1], size, replace=False))
            for size in np.diff(vectors.indptr).tolist()
        ]
        or [np.empty(0)]
    )
    indices = columns.astype(vectors.indices.dtype)
    return csr_array((vectors.data.copy(), indices, vectors.indptr.copy()), shape=vectors.shape)
