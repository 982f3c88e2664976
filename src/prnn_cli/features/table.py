"""A table with a vector for each item, row i for item_index i, and its file."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from prnn_cli.errors import first_line
from prnn_cli.system.tensor_files import DamagedFileError

Vectors = np.ndarray | csr_array

FITTED = "fitted."  # begins the names of arrays that are no part of the vectors
SPARSE_FIELDS = ("data", "indices", "indptr", "shape")


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Vectors of all items, and which of them say something.

    name: of the subnet that it feeds
    vectors: (num_items, F) float32, dense or CSR; dense ones made in half precision are float16
    covered: (num_items,) bool; the other items are known by nothing, and their vectors are zero
    cached_as: the hash that names it in the cache; empty for one that no cache holds
    fitted: what the extractor has learned from all items and needs for further ones, such as a vocabulary, by name
    """

    name: str
    vectors: Vectors
    covered: np.ndarray
    cached_as: str = ""
    fitted: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return int(self.vectors.shape[1])

    @property
    def is_sparse(self) -> bool:
        return isinstance(self.vectors, csr_array)

    @property
    def num_items(self) -> int:
        return len(self.covered)

    @property
    def num_covered(self) -> int:
        return int(self.covered.sum())

    @property
    def num_nonzeros(self) -> int:
        vectors = self.vectors
        return int(vectors.nnz if isinstance(vectors, csr_array) else np.count_nonzero(vectors))

    @cached_property
    def content_hash(self) -> str:
        """A hash of all that the table says, whenever and from whatever it was made."""
        digest = hashlib.blake2b(digest_size=16)
        for name, array in sorted(self.arrays().items()):
            digest.update(f"{name} {array.dtype} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
        return digest.hexdigest()

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays for `from_arrays`: covered, vectors or the arrays of the CSR matrix, and what was fitted."""
        fitted = {f"{FITTED}{name}": array for name, array in self.fitted.items()}
        if isinstance(self.vectors, csr_array):
            fields = {name: np.asarray(getattr(self.vectors, name)) for name in SPARSE_FIELDS}
            return {"covered": self.covered, **fields, **fitted}
        return {"covered": self.covered, "vectors": self.vectors, **fitted}

    @classmethod
    def from_arrays(cls, name: str, arrays: Mapping[str, np.ndarray], cached_as: str = "") -> "FeatureTable":
        """Table of what `arrays` gave. Raises `DamagedFileError` for anything else."""
        try:
            fitted = {key.removeprefix(FITTED): arrays[key] for key in arrays if key.startswith(FITTED)}
            table = cls(name, _vectors(arrays), arrays["covered"], cached_as, fitted)
        except (ValueError, KeyError) as error:
            raise DamagedFileError(f"it is no feature table: {first_line(error)}") from error
        if table.vectors.shape[0] != table.num_items:
            raise DamagedFileError("it holds vectors of other items")
        return table


def _vectors(arrays: Mapping[str, np.ndarray]) -> Vectors:
    if "vectors" in arrays:
        return arrays["vectors"]
    data, indices, indptr, shape = (arrays[field] for field in SPARSE_FIELDS)
    matrix = csr_array((data, indices, indptr), shape=tuple(shape.tolist()))
    matrix.check_format()
    return matrix


def unit_rows(vectors: Vectors) -> Any:
    """The rows (n, F) divided by their lengths, in float32; zeros stay."""
    if isinstance(vectors, csr_array):
        unit = vectors.astype(np.float32)
        lengths = np.sqrt(unit.multiply(unit).sum(axis=1))
        unit.data *= np.repeat(_inverse(lengths), np.diff(unit.indptr))
        return unit
    vectors = vectors.astype(np.float32)
    return vectors * _inverse(np.linalg.norm(vectors, axis=1))[:, None]


def _inverse(lengths: np.ndarray) -> np.ndarray:
    inverse: np.ndarray = np.divide(1, lengths, out=np.zeros(len(lengths), np.float32), where=lengths > 0)
    return inverse
