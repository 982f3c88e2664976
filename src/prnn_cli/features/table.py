"""A table with a vector for each item, row i for item_index i, and its file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.sparse import csr_array

from prnn_cli.errors import UserError, first_line
from prnn_cli.system.tensor_files import DamagedFileError, read_tensors, write_tensors

Vectors = np.ndarray | csr_array

SPARSE_FIELDS = ("data", "indices", "indptr", "shape")


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Vectors of all items, and which of them say something.

    name: of the subnet that it feeds
    vectors: (num_items, F) float32, dense or CSR; dense ones made in half precision are float16
    covered: (num_items,) bool; the other items are known by nothing, and their vectors are zero
    """

    name: str
    vectors: Vectors
    covered: np.ndarray

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

    def save(self, path: Path) -> None:
        """Writes a safetensors file: covered and vectors, or covered and the arrays of the CSR matrix."""
        arrays = {"covered": self.covered} | _arrays(self.vectors)
        write_tensors(path, {name: torch.from_numpy(array) for name, array in arrays.items()})

    @classmethod
    def load(cls, path: Path, name: str) -> "FeatureTable":
        """Reads what `save` wrote; raises `UserError` for a file that is not whole."""
        try:
            tensors, _ = read_tensors(path)
            arrays = {field: value.numpy() for field, value in tensors.items()}
            table = cls(name, _vectors(arrays), arrays["covered"])
        except (DamagedFileError, ValueError, KeyError) as error:
            reason = first_line(error)
            raise UserError(f"{path} is not a readable feature table ({reason})") from error
        if table.vectors.shape[0] != table.num_items:
            raise UserError(f"{path} holds vectors of other items")
        return table


def _arrays(vectors: Vectors) -> dict[str, np.ndarray]:
    if isinstance(vectors, csr_array):
        fields = (vectors.data, vectors.indices, vectors.indptr, np.array(vectors.shape))
        return dict(zip(SPARSE_FIELDS, fields, strict=True))
    return {"vectors": vectors}


def _vectors(arrays: dict[str, np.ndarray]) -> Vectors:
    if "vectors" in arrays:
        return arrays["vectors"]
    data, indices, indptr, shape = (arrays[field] for field in SPARSE_FIELDS)
    matrix = csr_array((data, indices, indptr), shape=tuple(shape.tolist()))
    matrix.check_format()
    return matrix
