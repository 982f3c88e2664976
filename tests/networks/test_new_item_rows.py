"""Rows for new items, by hand and against the closed form."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from prnn_cli.features.table import FeatureTable
from prnn_cli.networks.new_items import NewItems
from prnn_cli.schema import NewItemsConfig

SUPPORT = np.array([9, 4, 1, 0, 16, 0, 0])
COVERED = np.array([True, True, True, True, True, True, False])
RNG = np.random.default_rng(0)
VECTORS = (RNG.random((7, 3)) * COVERED[:, None]).astype(np.float32)
TABLE = RNG.standard_normal((7, 4)).astype(np.float32)


def new_items(fit: str, *tables: FeatureTable, **options: float) -> NewItems:
    how = NewItemsConfig(**{"fit": fit, "alpha": 0.5, "neighbours": 2, "boost": 1.0} | options)
    return NewItems(tables or [FeatureTable("image", VECTORS, COVERED)], SUPPORT, how, fit)


def stretched(rows: np.ndarray, known: np.ndarray, boost: float = 1.0) -> np.ndarray:
    mean = known.mean(axis=0)
    usual = np.median([np.linalg.norm(row - mean) for row in known])
    return np.array([mean + boost * usual * (row - mean) / np.linalg.norm(row - mean) for row in rows])


@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize("boost", [1.0, 2.0, 0.0])
def test_ridge_is_its_closed_form(is_sparse: bool, boost: float) -> None:
    """Weighted least squares with a penalty on all but the intercept."""
    table = FeatureTable("image", csr_array(VECTORS) if is_sparse else VECTORS, COVERED)
    new = new_items("ridge", table, boost=boost)
    assert new.items.tolist() == [3, 5]
    unit = VECTORS / np.maximum(np.linalg.norm(VECTORS, axis=1, keepdims=True), 1e-9)
    known = [0, 1, 2, 4]
    weight = np.sqrt(SUPPORT[known])
    inputs = np.column_stack([unit[known], np.ones(4)])
    penalty = np.diag([0.5 * weight.mean()] * 3 + [0.0])
    solved = np.linalg.solve(
        inputs.T @ (weight[:, None] * inputs) + penalty, inputs.T @ (weight[:, None] * TABLE[known])
    )
    expected = np.column_stack([unit[[3, 5]], np.ones(2)]) @ solved
    np.testing.assert_allclose(
        new.rows(TABLE), stretched(expected, TABLE[known], boost), rtol=2e-3, atol=2e-3
    )


def test_the_nearest_rows_are_averaged_by_their_cosines() -> None:
    """Item 3 has cosines .8 and .6 with items 0 and 1, and none with the others."""
    vectors = np.zeros((7, 3), np.float32)
    vectors[[0, 1, 2, 4]] = [[2, 0, 0], [0, 5, 0], [0, 0, 1], [0, 0, 3]]
    vectors[3] = [0.8, 0.6, 0]
    covered = vectors.any(axis=1)
    for each in (vectors, csr_array(vectors)):
        new = new_items("nearest", FeatureTable("image", each, covered))
        assert new.items.tolist() == [3]
        mean = (0.8 * TABLE[0] + 0.6 * TABLE[1]) / 1.4
        expected = stretched(mean[None], TABLE[[0, 1, 2, 4]])
        np.testing.assert_allclose(new.rows(TABLE), expected, rtol=1e-5)


def test_sources_stand_side_by_side() -> None:
    """An item that one source describes has a row; together they are the vectors of both."""
    text = csr_array(np.eye(7, 2, dtype=np.float32))
    both = new_items(
        "ridge",
        FeatureTable("image", VECTORS, COVERED),
        FeatureTable("text", text, np.arange(7) == 6),
    )
    assert both.items.tolist() == [3, 5, 6]
    assert np.isfinite(both.rows(TABLE)).all()


def test_an_item_of_no_features_and_fewer_items_than_neighbours() -> None:
    covered = np.array([True, False, False, True, False, False, False])
    new = new_items("nearest", FeatureTable("image", VECTORS, covered), neighbours=50)
    np.testing.assert_allclose(new.rows(TABLE), TABLE[[0]])
