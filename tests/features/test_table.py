from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

from prnn_cli.features.table import FeatureTable, Vectors
from prnn_cli.system.cache import Identity, load_arrays, save_arrays
from prnn_cli.system.tensor_files import DamagedFileError

MATRIX = np.array([[0.6, 0, 0.8, 0], [0, 0, 0, 0], [0, 1, 0, 0]], dtype=np.float32)
COVERED = np.array([True, False, True])
KINDS: list[Vectors] = [MATRIX, csr_array(MATRIX)]


@pytest.fixture(params=KINDS, ids=["dense", "sparse"])
def table(request: pytest.FixtureRequest) -> FeatureTable:
    return FeatureTable("text", request.param, COVERED)


def test_a_table_knows_its_sizes(table: FeatureTable) -> None:
    assert (table.num_items, table.size, table.num_covered, table.num_nonzeros) == (3, 4, 2, 3)
    assert table.is_sparse == isinstance(table.vectors, csr_array)


def test_a_stored_table_comes_back_the_same(table: FeatureTable, tmp_path: Path) -> None:
    identity = Identity.of(1, "made for this test")
    save_arrays(tmp_path / "table.safetensors", identity, table.arrays())
    loaded = FeatureTable.from_arrays("other", load_arrays(tmp_path / "table.safetensors", identity))
    assert loaded.name == "other"
    assert loaded.is_sparse == table.is_sparse
    assert loaded.vectors.dtype == np.float32
    vectors = loaded.vectors.toarray() if isinstance(loaded.vectors, csr_array) else loaded.vectors
    np.testing.assert_array_equal(vectors, MATRIX)
    np.testing.assert_array_equal(loaded.covered, COVERED)


def test_a_sparse_table_whose_parts_do_not_fit_is_damaged() -> None:
    broken = csr_array(MATRIX)
    broken.indices = np.array([0, 2, 9], dtype=np.int32)
    with pytest.raises(DamagedFileError, match="is no feature table"):
        FeatureTable.from_arrays("text", FeatureTable("text", broken, COVERED).arrays())


def test_what_is_no_table_is_damaged(table: FeatureTable) -> None:
    arrays = table.arrays()
    del arrays["covered"]
    with pytest.raises(DamagedFileError, match="is no feature table: 'covered'"):
        FeatureTable.from_arrays("text", arrays)


def test_a_table_of_other_items_is_damaged() -> None:
    with pytest.raises(DamagedFileError, match="holds vectors of other items"):
        FeatureTable.from_arrays("text", FeatureTable("text", MATRIX, COVERED[:2]).arrays())
