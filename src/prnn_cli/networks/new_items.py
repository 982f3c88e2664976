"""Rows for items that training has not seen, fitted from features on the rows of those it has. Not the paper's.

The paper's output weights are learned item by item, so an item without clicks has none that mean anything. Items that
are described alike are clicked alike, so a row y of a table is sought as a function of the item's features x (the unit
vectors of all sources side by side):

    ridge      y = B x + c, least squares with weights sqrt(support) over the trained rows, and α |B|²
    nearest    the mean of the rows of the nearest trained items, weighted by their cosines

Both give rows that lie nearer to the mean row than trained ones do, so that new items would never rank high: what parts
them from the mean row is stretched to the median length that it has among trained rows, times `boost`.

Shapes: N items, F features, C columns of a table, n new items.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from prnn_cli.features.table import FeatureTable, unit_rows
from prnn_cli.schema import NewItemsConfig

BLOCK = 1024  # new items whose neighbours are sought at once
RIDGE, NEAREST = "ridge", "nearest"


class NewItems:
    """The items that training has not seen and that features describe, and how rows are made for them.

    items: (n,) item_index
    """

    def __init__(
        self, features: Sequence[FeatureTable], support: np.ndarray, how: NewItemsConfig, fit: str
    ) -> None:
        """support: (N,) events in training; fit: ridge or nearest"""
        vectors, covered = _side_by_side(features)
        self.how, self.fit = how, fit
        self.items = np.flatnonzero(covered & (support == 0))
        known = np.flatnonzero(covered & (support > 0))
        self._known, self._weight = known, np.sqrt(support[known])
        self._vectors, self._new = vectors[known], vectors[self.items]
        self._is_sparse = sparse.issparse(vectors)

    def rows(self, table: np.ndarray) -> np.ndarray:
        """Rows (n, C) of a table (N, C) for the new items."""
        known = table[self._known]
        mean = known.mean(axis=0)
        found = self._by_ridge(known) if self.fit == RIDGE else self._by_neighbours(known)
        apart = found - mean
        usual = np.median(np.linalg.norm(known - mean, axis=1))
        lengths = np.linalg.norm(apart, axis=1, keepdims=True)
        stretched = np.divide(apart, lengths, out=np.zeros_like(apart), where=lengths > 0)
        rows: np.ndarray = (mean + self.how.boost * usual * stretched).astype(table.dtype)
        return rows

    def _by_ridge(self, known: np.ndarray) -> np.ndarray:
        from sklearn.linear_model import Ridge  # half a second, which nobody else needs

        solver = "sparse_cg" if self._is_sparse else "cholesky"
        model = Ridge(alpha=self.how.alpha * self._weight.mean(), solver=solver, tol=1e-4)
        fitted: np.ndarray = model.fit(self._vectors, known, sample_weight=self._weight).predict(self._new)
        return fitted

    def _by_neighbours(self, known: np.ndarray) -> np.ndarray:
        k = min(self.how.neighbours, len(known))
        found = np.empty((len(self.items), known.shape[1]), dtype=known.dtype)
        for block in _blocks(len(self.items)):
            products = self._new[block] @ self._vectors.T
            cosines: np.ndarray = products.toarray() if self._is_sparse else products
            nearest = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
            weights = np.take_along_axis(cosines, nearest, axis=1).clip(1e-6)
            weights /= weights.sum(axis=1, keepdims=True)
            found[block] = np.einsum("nk,nkc->nc", weights, known[nearest])
        return found


def _blocks(number: int) -> Iterator[slice]:
    for start in range(0, number, BLOCK):
        yield slice(start, start + BLOCK)


def _side_by_side(features: Sequence[FeatureTable]) -> tuple[Any, np.ndarray]:
    """The unit vectors of all sources, (N, F), sparse where one of them is; whether any source describes an item."""
    units = [unit_rows(table.vectors) for table in features]
    covered: np.ndarray = np.any([table.covered for table in features], axis=0)
    if any(sparse.issparse(each) for each in units):
        return sparse.hstack([sparse.csr_array(each) for each in units], format="csr"), covered
    return np.hstack(units), covered
