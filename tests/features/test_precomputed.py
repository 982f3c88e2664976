"""Every format of a matrix and of its ids gives the same vectors; what is wrong with one is a sentence."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import save_file

from features.conftest import dense, extracted
from prnn_cli.errors import UserError
from prnn_cli.features.extractors.precomputed import precomputed
from prnn_cli.schema import FeaturesCommand, PrecomputedConfig
from test_configs import composed

Command = Callable[..., FeaturesCommand]

ITEM_IDS = np.array(["007", "b", "c"], dtype=object)
IDS = ["c", "z", "007"]
VECTORS = np.array([[3, 4], [9, 9], [0, -2]], dtype=np.float32)
EXPECTED = np.array([[0, -2], [0, 0], [3, 4]], dtype=np.float32)


def config(path: Path, item_ids: Path | None = None, normalise: bool = False) -> PrecomputedConfig:
    return PrecomputedConfig(str(path), str(item_ids) if item_ids else None, normalise)


@pytest.fixture
def ids(tmp_path: Path) -> Path:
    path = tmp_path / "ids.txt"
    path.write_text("c\nz\n007\n")
    return path


@pytest.fixture
def npy(tmp_path: Path) -> Path:
    path = tmp_path / "vectors.npy"
    np.save(path, VECTORS)
    return path


def as_npy(folder: Path) -> Path:
    np.save(folder / "m.npy", VECTORS.astype(np.float16))
    return folder / "m.npy"


def as_integers(folder: Path) -> Path:
    np.save(folder / "m.npy", VECTORS.astype(np.int8))
    return folder / "m.npy"


def as_safetensors(folder: Path) -> Path:
    bias = torch.zeros(2)
    save_file({"weights": torch.from_numpy(VECTORS).bfloat16(), "bias": bias}, folder / "m.safetensors")
    return folder / "m.safetensors"


def as_named_tensor(folder: Path) -> Path:
    tensors = {"vectors": torch.from_numpy(VECTORS), "other": torch.zeros(2, 2)}
    save_file(tensors, folder / "m.safetensors")
    return folder / "m.safetensors"


def as_lists(folder: Path) -> Path:
    pd.DataFrame({"item_id": IDS, "vector": VECTORS.tolist()}).to_parquet(folder / "m.parquet")
    return folder / "m.parquet"


def as_only_lists(folder: Path) -> Path:
    frame = pd.DataFrame({"item_id": IDS, "image_embedding": VECTORS.tolist(), "year": [1, 2, 3]})
    frame.to_parquet(folder / "m.parquet")
    return folder / "m.parquet"


def as_fixed_lists(folder: Path) -> Path:
    vectors = pa.FixedSizeListArray.from_arrays(VECTORS.ravel(), 2)
    pq.write_table(pa.table({"item_id": IDS, "vector": vectors}), folder / "m.parquet")
    return folder / "m.parquet"


def as_columns(folder: Path) -> Path:
    frame = pd.DataFrame({"x": VECTORS[:, 0], "item_id": IDS, "y": VECTORS[:, 1], "title": ["p", "q", "r"]})
    frame.to_parquet(folder / "m.parquet")
    return folder / "m.parquet"


@pytest.mark.parametrize("write", [as_npy, as_integers, as_safetensors, as_named_tensor])
def test_a_matrix_takes_its_ids_from_another_file(
    write: Callable[[Path], Path], ids: Path, tmp_path: Path
) -> None:
    vectors, found = precomputed(config(write(tmp_path), ids), ITEM_IDS)
    assert vectors.dtype == (np.float16 if write is as_npy else np.float32)  # half precision stays half
    np.testing.assert_array_equal(vectors, EXPECTED)
    assert found.tolist() == [True, False, True]


@pytest.mark.parametrize("write", [as_lists, as_only_lists, as_fixed_lists, as_columns])
def test_a_parquet_matrix_has_its_ids(write: Callable[[Path], Path], tmp_path: Path) -> None:
    vectors, found = precomputed(config(write(tmp_path)), ITEM_IDS)
    np.testing.assert_array_equal(vectors, EXPECTED)
    assert found.tolist() == [True, False, True]


def ids_in_npy(folder: Path) -> Path:
    np.save(folder / "ids.npy", np.array(IDS))
    return folder / "ids.npy"


def ids_in_csv(folder: Path) -> Path:
    (folder / "ids.csv").write_text("row;item_id\n1;c\n2;z\n3;007\n")
    return folder / "ids.csv"


def ids_in_an_only_column(folder: Path) -> Path:
    pd.DataFrame({"sku": IDS}).to_parquet(folder / "ids.parquet")
    return folder / "ids.parquet"


@pytest.mark.parametrize("write", [ids_in_npy, ids_in_csv, ids_in_an_only_column])
def test_ids_come_in_several_formats(write: Callable[[Path], Path], npy: Path, tmp_path: Path) -> None:
    vectors, _ = precomputed(config(npy, write(tmp_path)), ITEM_IDS)
    np.testing.assert_array_equal(vectors, EXPECTED)


def test_ids_that_are_numbers_are_their_digits(npy: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "ids.npy", np.array([12, 7, 30]))
    vectors, found = precomputed(config(npy, tmp_path / "ids.npy"), np.array(["7", "30"], dtype=object))
    np.testing.assert_array_equal(vectors, VECTORS[1:])
    assert found.all()


def test_vectors_are_normalised_where_asked_and_zeros_stay(ids: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.array([[3, 4], [9, 9], [0, 0]], dtype=np.float64))
    vectors, found = precomputed(config(tmp_path / "m.npy", ids, normalise=True), ITEM_IDS)
    np.testing.assert_allclose(vectors, [[0, 0], [0, 0], [0.6, 0.8]])
    assert found.tolist() == [False, False, True]


def test_of_repeated_items_the_first_row_counts(
    npy: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "ids.txt").write_text("b\nb\nc")
    vectors, _ = precomputed(config(npy, tmp_path / "ids.txt"), np.array(["b", "c"], dtype=object))
    np.testing.assert_array_equal(vectors, VECTORS[[0, 2]])
    assert "vectors.npy repeats items in 1 rows" in caplog.text


def test_items_without_a_vector_are_counted(npy: Path, ids: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    precomputed(config(npy, ids), ITEM_IDS)
    assert "1 of the 3 items of the log are not in features.precomputed.path=" in caplog.text


def test_vectors_of_other_items_are_answered_with_examples_of_both(npy: Path, ids: Path) -> None:
    with pytest.raises(
        UserError, match=r"describes no item of the log: its ids are 'c', 'z', '007', the log's"
    ):
        precomputed(config(npy, ids), np.array(["x"], dtype=object))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39])
def test_a_value_that_is_no_finite_number_names_the_item(value: float, ids: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.array([[1, 2], [3, 4], [5, value]]))
    with pytest.raises(
        UserError, match=r"m\.npy: the vector of item '007' holds (nan|inf); every value must be"
    ):
        precomputed(config(tmp_path / "m.npy", ids), ITEM_IDS)


def test_a_missing_number_in_parquet_names_the_item(tmp_path: Path) -> None:
    pd.DataFrame({"item_id": ["b", "c"], "x": [1.0, None]}).to_parquet(tmp_path / "m.parquet")
    with pytest.raises(UserError, match="the vector of item 'c' holds nan"):
        precomputed(config(tmp_path / "m.parquet"), ITEM_IDS)


def test_vectors_of_unequal_lengths_name_item_and_row(tmp_path: Path) -> None:
    for row, vectors in ((3, [[1.0, 2.0], [1.0, 2.0], [1.0]]), (1, [[1.0], [1.0, 2.0], [1.0, 2.0]])):
        pd.DataFrame({"item_id": IDS, "vector": vectors}).to_parquet(tmp_path / "m.parquet")
        told = rf"item {IDS[row - 1]!r}, row {row}, has 1 values, but 2 of the 3 vectors have 2"
        with pytest.raises(UserError, match=told):
            precomputed(config(tmp_path / "m.parquet"), ITEM_IDS)


@pytest.mark.parametrize("array", [np.array([[{}]], dtype=object), np.zeros(3), np.array([["x"]])])
def test_an_array_that_is_no_matrix_of_numbers_is_refused(
    array: np.ndarray, ids: Path, tmp_path: Path
) -> None:
    np.save(tmp_path / "m.npy", array, allow_pickle=True)
    with pytest.raises(UserError, match=r"features\.precomputed\.path=.*m\.npy cannot be used: "):
        precomputed(config(tmp_path / "m.npy", ids), ITEM_IDS)


@pytest.mark.parametrize("content", [b"nothing of the kind", b"PK\x03\x04, a ZIP", b"", b"\x80\x04K\x01."])
@pytest.mark.parametrize("suffix", ["npy", "safetensors", "parquet"])
def test_a_file_of_another_kind_is_refused(
    suffix: str, content: bytes, ids: Path, npy: Path, tmp_path: Path
) -> None:
    path = tmp_path / f"m.{suffix}"
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"features\.precomputed\.path=.*m\.{suffix} cannot be used: "):
        precomputed(config(path, ids), ITEM_IDS)
    if suffix != "safetensors":
        with pytest.raises(UserError, match=rf"m\.{suffix} (cannot be (used|read)|is empty)"):
            precomputed(config(npy, path), ITEM_IDS)


def test_an_archive_of_arrays_is_no_matrix(ids: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", vectors=VECTORS)
    (tmp_path / "m.npz").rename(tmp_path / "m.npy")
    with pytest.raises(UserError, match=r"features\.precomputed\.path=.*m\.npy cannot be used: "):
        precomputed(config(tmp_path / "m.npy", ids), ITEM_IDS)


def test_space_around_an_id_is_no_part_of_it(npy: Path, tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text(" c\nz\n007 \n")
    vectors, _ = precomputed(config(npy, tmp_path / "ids.txt"), ITEM_IDS)
    np.testing.assert_array_equal(vectors, EXPECTED)


def test_an_unknown_extension_is_answered_with_the_known_ones(ids: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"path=.*m\.pkl must end in \.npy, \.safetensors, \.parquet"):
        precomputed(config(tmp_path / "m.pkl", ids), ITEM_IDS)


def test_a_parquet_matrix_without_ids_or_numbers_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"sku": IDS, "x": [1, 2, 3]}).to_parquet(tmp_path / "m.parquet")
    with pytest.raises(UserError, match=r"it has the columns sku, x, but needs item_id"):
        precomputed(config(tmp_path / "m.parquet"), ITEM_IDS)
    pd.DataFrame({"item_id": IDS}).to_parquet(tmp_path / "m.parquet")
    with pytest.raises(UserError, match=r"it needs a list column 'vector' or numeric columns"):
        precomputed(config(tmp_path / "m.parquet"), ITEM_IDS)
    pd.DataFrame({"item_id": IDS, "vector": [1, 2, 3]}).to_parquet(tmp_path / "m.parquet")
    with pytest.raises(UserError, match=r"its column 'vector' is of type int64, not lists of numbers"):
        precomputed(config(tmp_path / "m.parquet"), ITEM_IDS)


def test_several_matrices_without_the_name_are_refused(ids: Path, tmp_path: Path) -> None:
    save_file({"a": torch.zeros(3, 2), "b": torch.zeros(3, 2)}, tmp_path / "m.safetensors")
    with pytest.raises(UserError, match=r"it has the tensors .* but needs a matrix 'vectors'"):
        precomputed(config(tmp_path / "m.safetensors", ids), ITEM_IDS)


def test_a_matrix_without_ids_says_where_they_belong(npy: Path) -> None:
    with pytest.raises(UserError, match=r"has no item ids; give those of its 3 rows in a file"):
        precomputed(config(npy), ITEM_IDS)


def test_another_number_of_ids_is_refused(npy: Path, tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text("c\nz\n")
    with pytest.raises(UserError, match=r"ids\.txt has 2 ids, but .*vectors\.npy has 3 rows"):
        precomputed(config(npy, tmp_path / "ids.txt"), ITEM_IDS)


def test_a_row_without_an_id_is_named(npy: Path, tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text("c\n\n007\n")
    with pytest.raises(UserError, match=r"item_ids=.*ids\.txt cannot be used: row 2 has no item id"):
        precomputed(config(npy, tmp_path / "ids.txt"), ITEM_IDS)


def test_precomputed_vectors_are_extracted_by_item_index(command: Command, tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.eye(3, 5))
    (tmp_path / "ids.txt").write_text("c\na\nb")
    paths = [
        f"features.precomputed.path={tmp_path / 'm.npy'}",
        f"features.precomputed.item_ids={tmp_path / 'ids.txt'}",
    ]
    table = extracted(command("features=none", "+features.sources.text=precomputed", *paths))["text"]
    np.testing.assert_array_equal(dense(table), np.eye(3, 5)[[1, 2, 0]])


def test_precomputed_takes_the_vectors_that_come_with_the_data_set(
    command: Command, write_items: Callable[..., str], tmp_path: Path
) -> None:
    np.save(tmp_path / "m.npy", np.eye(3, 5, dtype=np.float16))
    items = write_items("item_id,title", "c,red", "a,blue", "b,green")
    config = command("features=precomputed", items, f"dataset.items.vectors={tmp_path / 'm.npy'}")
    table = extracted(config)["image"]
    np.testing.assert_array_equal(dense(table), np.eye(3, 5)[[1, 2, 0]])
    assert dense(table).dtype == dense(extracted(config)["image"]).dtype == np.float16  # made, and read again


def test_the_vectors_of_a_generated_log_feed_the_image_subnet(tmp_path: Path) -> None:
    profile = ["dataset.profile.without_image=0.25", "dataset.profile.workers=1", "dataset.scale=0.001"]
    config = composed(
        "features", "dataset=vidxl_like", "features=precomputed", *profile, f"cache_dir={tmp_path}"
    )
    assert isinstance(config, FeaturesCommand)
    table = extracted(config)["image"]
    assert (table.size, dense(table).dtype) == (512, np.float16)
    assert table.num_covered / table.num_items == pytest.approx(0.75, abs=0.06)


def test_a_row_of_zeros_is_no_vector(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.array([[0, 0], [3, 4]], dtype=np.float32))
    (tmp_path / "ids.txt").write_text("007\nb\n")
    vectors, found = precomputed(config(tmp_path / "m.npy", tmp_path / "ids.txt"), ITEM_IDS)
    assert found.tolist() == [False, True, False]
    np.testing.assert_array_equal(vectors, [[0, 0], [3, 4], [0, 0]])
