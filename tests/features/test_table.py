from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

from prnn_cli.errors import UserError
from prnn_cli.features.table import FeatureTable, Vectors

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
    table.save(tmp_path / "table.safetensors")
    loaded = FeatureTable.load(tmp_path / "table.safetensors", "other")
    assert loaded.name == "other"
    assert loaded.is_sparse == table.is_sparse
    assert loaded.vectors.dtype == np.float32
    vectors = loaded.vectors.toarray() if isinstance(loaded.vectors, csr_array) else loaded.vectors
    np.testing.assert_array_equal(vectors, MATRIX)
    np.testing.assert_array_equal(loaded.covered, COVERED)


def test_a_truncated_table_is_a_sentence(table: FeatureTable, tmp_path: Path) -> None:
    path = tmp_path / "table.safetensors"
    table.save(path)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(UserError, match=r"table.safetensors is not a readable feature table"):
        FeatureTable.load(path, "text")


def test_a_sparse_table_whose_parts_do_not_fit_is_a_sentence(tmp_path: Path) -> None:
    broken = csr_array(MATRIX)
    broken.indices = np.array([0, 2, 9], dtype=np.int32)
    FeatureTable("text", broken, COVERED).save(tmp_path / "table.safetensors")
    with pytest.raises(UserError, match="is not a readable feature table"):
        FeatureTable.load(tmp_path / "table.safetensors", "text")


def test_a_table_of_other_items_is_a_sentence(tmp_path: Path) -> None:
    FeatureTable("text", MATRIX, COVERED[:2]).save(tmp_path / "table.safetensors")
    with pytest.raises(UserError, match="holds vectors of other items"):
        FeatureTable.load(tmp_path / "table.safetensors", "text")
