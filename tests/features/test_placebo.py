"""Placebos are like the features in all but what they say."""

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from prnn_cli.features.placebo import KINDS, drawn

COVERED = np.arange(40) % 5 > 0


def tables() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    dense = rng.standard_normal((40, 6)).astype(np.float16)
    sparse = (rng.random((40, 30)) < 0.2) * rng.random((40, 30)).astype(np.float32)
    dense[~COVERED], sparse[~COVERED] = 0, 0
    return {"dense": dense, "sparse": csr_array(sparse)}


def as_dense(vectors: Any) -> np.ndarray:
    return vectors.toarray() if isinstance(vectors, csr_array) else vectors


@pytest.mark.parametrize("table", tables())
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "ids"])
def test_a_placebo_has_the_type_shape_and_gaps_of_the_features(kind: str, table: str) -> None:
    real = tables()[table]
    placebo = drawn(real, COVERED, kind, seed=1)
    assert type(placebo) is type(real)
    assert placebo.dtype == real.dtype
    assert placebo.shape == real.shape
    assert not as_dense(placebo)[~COVERED].any()
    assert as_dense(placebo)[COVERED].any(axis=1).all()
    assert not np.array_equal(as_dense(placebo), as_dense(real))
    again, other = drawn(real, COVERED, kind, seed=1), drawn(real, COVERED, kind, seed=2)
    np.testing.assert_array_equal(as_dense(again), as_dense(placebo))
    assert not np.array_equal(as_dense(other), as_dense(placebo))


@pytest.mark.parametrize("table", tables())
def test_shuffled_features_are_the_same_vectors_of_other_items(table: str) -> None:
    real, placebo = as_dense(tables()[table]), as_dense(drawn(tables()[table], COVERED, "shuffled", 0))
    assert sorted(map(tuple, real.tolist())) == sorted(map(tuple, placebo.tolist()))
    assert (real == placebo).all(axis=1)[COVERED].mean() < 0.2


@pytest.mark.parametrize("table", tables())
def test_a_constant_is_one_item_s_vector(table: str) -> None:
    real, placebo = as_dense(tables()[table]), as_dense(drawn(tables()[table], COVERED, "constant", 0))
    assert len(np.unique(placebo[COVERED], axis=0)) == 1
    assert (placebo[COVERED][0] == real).all(axis=1).sum() == 1


@pytest.mark.parametrize("table", tables())
def test_noise_is_as_long_and_as_full_as_the_item_s_own_vector(table: str) -> None:
    real, placebo = as_dense(tables()[table]), as_dense(drawn(tables()[table], COVERED, "noise", 0))
    lengths = [np.linalg.norm(each.astype(np.float64), axis=1) for each in (real, placebo)]
    np.testing.assert_allclose(*lengths, rtol=2e-3)
    np.testing.assert_array_equal(*((each != 0).sum(axis=1) for each in (real, placebo)))


def test_ids_are_a_column_for_each_item() -> None:
    for real in tables().values():
        np.testing.assert_array_equal(as_dense(drawn(real, COVERED, "ids", 0)), np.eye(40))


def test_items_without_any_features_have_no_placebo() -> None:
    nothing = np.zeros((3, 2), np.float32)
    for kind in ("shuffled", "constant"):
        assert not as_dense(drawn(nothing, np.zeros(3, bool), kind, 0)).any()
