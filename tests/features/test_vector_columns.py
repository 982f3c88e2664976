"""Vectors in columns of the items table, in every way to write them, and files of vectors for each source."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.conftest import dense, extracted
from prnn_cli.errors import UserError
from prnn_cli.schema import FeaturesCommand

Command = Callable[..., FeaturesCommand]
WriteItems = Callable[..., str]

COLUMNS = [f"+dataset.items.vector_columns.{name}" for name in ("text=of_title", "image=of_picture")]
PLAIN = ["features=vector_columns", "features.precomputed.normalise=false", *COLUMNS]
ONLY_IMAGE = ["features=vector_columns", "~features.sources.text", "features.precomputed.normalise=false"]
# Of a and c, not of b; d is not in the log.
TITLES = {"a": [3.0, 4.0], "b": None, "c": [0.5, -2.0], "d": [9.0, 9.0]}
PICTURES = {"a": [1.0, 0.0, 2.0], "b": [0.0, 1e-3, 0.0], "c": None, "d": [9.0, 9.0, 9.0]}
FRAME = pd.DataFrame(
    {"item_id": list(TITLES), "of_title": list(TITLES.values()), "of_picture": list(PICTURES.values())}
)


def as_parquet(folder: Path) -> Path:
    FRAME.to_parquet(folder / "items.parquet")
    return folder / "items.parquet"


def as_json(folder: Path) -> Path:
    FRAME.to_json(folder / "items.jsonl", orient="records", lines=True)
    return folder / "items.jsonl"


def as_csv(folder: Path) -> Path:
    FRAME.to_csv(folder / "items.csv", index=False)
    return folder / "items.csv"


def as_numpy_prints(folder: Path) -> Path:
    def printed(vector: list[float] | None) -> str:
        return "[]" if vector is None else str(np.array(vector)).replace(" ", "\n ", 1)

    FRAME.assign(**{name: FRAME[name].map(printed) for name in ("of_title", "of_picture")}).to_csv(
        folder / "items.csv", index=False
    )
    return folder / "items.csv"


@pytest.mark.parametrize("write", [as_parquet, as_json, as_csv, as_numpy_prints])
def test_lists_and_their_texts_are_vectors(
    write: Callable[[Path], Path], command: Command, tmp_path: Path
) -> None:
    tables = extracted(command(*PLAIN, f"dataset.items.path={write(tmp_path)}"))
    assert list(tables) == ["text", "image"]
    np.testing.assert_allclose(dense(tables["text"]), [[3, 4], [0, 0], [0.5, -2]])
    np.testing.assert_allclose(dense(tables["image"]), [[1, 0, 2], [0, 1e-3, 0], [0, 0, 0]])
    assert tables["text"].covered.tolist() == [True, False, True]
    assert tables["image"].covered.tolist() == [True, True, False]


def test_vectors_are_normalised_by_default(command: Command, tmp_path: Path) -> None:
    tables = extracted(command("features=vector_columns", *COLUMNS, f"dataset.items.path={as_csv(tmp_path)}"))
    np.testing.assert_allclose(dense(tables["text"])[0], [0.6, 0.8], rtol=1e-6)


def test_a_source_may_be_left_out(command: Command, write_items: WriteItems) -> None:
    items = write_items("item_id,v", "a,1 2", "b,3 4", "c,5 6")
    tables = extracted(command(*ONLY_IMAGE, items, "+dataset.items.vector_columns.image=v"))
    assert list(tables) == ["image"]
    np.testing.assert_array_equal(dense(tables["image"]), [[1, 2], [3, 4], [5, 6]])


def test_a_source_without_a_column_says_how_to_name_one_or_to_leave_it_out(
    command: Command, write_items: WriteItems
) -> None:
    items = write_items("item_id,v", "a,1 2")
    config = command("features=vector_columns", items, "+dataset.items.vector_columns.image=v")
    with pytest.raises(
        UserError,
        match=r"names none for text; add \+dataset\.items\.vector_columns\.text=COLUMN, or .*s\.text'",
    ):
        extracted(config)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            ["a,1 2", "b,", "c,1 2 3"],
            r"items\.csv, line 4, column 'v': the vector has 3 values, but 1 of the 2 vectors have 2; mend it",
        ),
        (
            ["a,1 2 3", "b,1 2", "x,", "c,1 2"],
            r"items\.csv, line 2, column 'v': the vector has 3 values, but 2 of the 3 vectors have 2; mend it",
        ),
        (["a,1 2", "b,1 two"], r"items\.csv, line 3, column 'v': '1 two' is no vector of numbers"),
        (["a,1 2", 'b,"[1,5 2,5]"'], r"line 3, column 'v': '\[1,5 2,5\]' separates numbers in two ways"),
        (['a,"1,5; 2,5"'], r"line 2, column 'v': '1,5; 2,5' separates numbers in two ways"),
        (["a,1 2", 'b,"[1, 2"'], r"line 3, column 'v': '\[1, 2' has one of its brackets alone"),
        (["a,1 2", "b,1 nan"], r"column 'v' of dataset\.items\.path=.*: the vector of item 'b' holds nan"),
        (["a,", "b,[]"], r"column 'v' of dataset\.items\.path=.* holds no vector; name another column"),
        (["a,1 2", ",1 2"], r"items\.csv, line 3, column 'item_id': is empty; fill it in"),
        (["x,1 2"], r"describes no item of the log: its ids are 'x', the log's are 'a', 'b', 'c'"),
    ],
)
def test_what_is_no_vector_is_named(
    command: Command, write_items: WriteItems, rows: list[str], message: str
) -> None:
    config = command(*ONLY_IMAGE, write_items("item_id,v", *rows), "+dataset.items.vector_columns.image=v")
    with pytest.raises(UserError, match=message):
        extracted(config)


def test_numbers_are_no_vectors(command: Command, tmp_path: Path) -> None:
    pd.DataFrame({"item_id": ["a"], "v": [1.5]}).to_parquet(tmp_path / "items.parquet")
    items = [f"dataset.items.path={tmp_path / 'items.parquet'}", "+dataset.items.vector_columns.image=v"]
    with pytest.raises(UserError, match=r"column 'v' is of type double; it must hold vectors"):
        extracted(command(*ONLY_IMAGE, *items))


def test_each_source_may_have_a_file_of_vectors_whose_ids_are_called_as_the_items(
    command: Command, tmp_path: Path
) -> None:
    pd.DataFrame({"sku": ["c", "a"], "x": [1, 2], "y": [3, 4]}).to_parquet(tmp_path / "image.parquet")
    pd.DataFrame({"sku": ["b"], "vector": [[5.0]]}).to_parquet(tmp_path / "text.parquet")
    files = (
        f"dataset.items.vectors={{text: {tmp_path / 'text.parquet'}, image: {tmp_path / 'image.parquet'}}}"
    )
    sources = ["features=precomputed", "+features.sources.text=precomputed", "dataset.items.item_id=sku"]
    tables = extracted(command(*sources, files, "features.precomputed.normalise=false"))
    np.testing.assert_array_equal(dense(tables["image"]), [[2, 4], [0, 0], [1, 3]])
    np.testing.assert_array_equal(dense(tables["text"]), [[0], [5], [0]])


def test_rows_of_a_matrix_are_those_of_the_items_table_however_its_ids_are_called(
    command: Command, write_items: WriteItems, tmp_path: Path
) -> None:
    np.save(tmp_path / "m.npy", np.eye(3))
    items = [write_items("title,sku", "red,c", "blue,a", "green,b"), "dataset.items.item_id=sku"]
    config = command("features=precomputed", *items, f"dataset.items.vectors={tmp_path / 'm.npy'}")
    np.testing.assert_array_equal(dense(extracted(config)["image"]), np.eye(3)[[1, 2, 0]])


def test_a_source_without_a_file_of_vectors_is_refused(command: Command, tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.eye(3))
    config = command("features=precomputed", f"dataset.items.vectors={{text: {tmp_path / 'm.npy'}}}")
    with pytest.raises(
        UserError, match=r"features=precomputed needs vectors; add features\.precomputed\.path"
    ):
        extracted(config)
