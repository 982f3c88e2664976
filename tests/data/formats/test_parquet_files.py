"""Parquet columns of any type are read like the text of a CSV."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.conftest import rows
from prnn_cli.data.events import Events, read_events
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig

Config = Callable[..., DatasetConfig]


def test_parquet_numbers_become_the_text_that_a_csv_would_hold(read_parquet: Callable[..., Events]) -> None:
    whole = {"session_id": [1, 2], "item_id": [12345678901.0, 5.0], "time": [10, 11]}
    assert rows(read_parquet(whole)) == [("1", "12345678901", 10), ("2", "5", 11)]


def test_parquet_categories_are_read_as_their_values(read_parquet: Callable[..., Events]) -> None:
    columns = {"session_id": pd.Categorical([3, 3]), "item_id": pd.Categorical(["a", "b"]), "time": [1, 2]}
    assert rows(read_parquet(columns)) == [("3", "a", 1), ("3", "b", 2)]


def test_ids_of_parquet_may_be_numbers_in_one_file_and_text_in_another(
    dataset_config: Config, tmp_path: Path
) -> None:
    for name, ids in (("a", [1, 2]), ("b", ["1", "x"])):
        pd.DataFrame({"session_id": ids, "item_id": "i", "time": 5}).to_parquet(tmp_path / f"{name}.parquet")
    assert [s for s, _, _ in rows(read_events(dataset_config(path=str(tmp_path))))] == ["1", "2", "1", "x"]


def test_an_id_that_is_not_a_number_is_a_bad_row(read: Callable[..., Events]) -> None:
    def write(path: Path) -> None:
        pd.DataFrame({"session_id": [1.0, float("nan")], "item_id": ["a", "b"], "time": 5}).to_parquet(path)

    events = read(write, "clicks.parquet", max_bad_share=0.5)
    assert rows(events) == [("1", "a", 5)]
    assert events.dropped == {"bad rows: session_id is empty": 1}


def test_a_bad_row_of_a_parquet_file_is_named(read_parquet: Callable[..., Events]) -> None:
    columns = {"session_id": ["1", "1", ""], "item_id": ["a", "b", "c"], "time": [1, 2, 3]}
    with pytest.raises(UserError, match=r"clicks\.parquet, row 3, column 'session_id': is empty"):
        read_parquet(columns)


def test_fractional_parquet_ids_are_refused(read_parquet: Callable[..., Events]) -> None:
    columns = {"session_id": [1.5], "item_id": ["a"], "time": [1]}
    with pytest.raises(UserError, match=r"column 'session_id' is of type double; ids must be text or whole"):
        read_parquet(columns)


def test_ids_may_be_bytes_of_text_and_halves_of_floats(read: Callable[..., Events]) -> None:
    columns = {
        "session_id": pa.array([b"s", b"s"], pa.large_binary()),
        "item_id": pa.array(np.array([1, 2], np.float16)),
        "time": pa.array([1, 2]),
    }
    events = read(lambda path: pq.write_table(pa.table(columns), path), "clicks.parquet")
    assert rows(events) == [("s", "1", 1), ("s", "2", 2)]


ODD: dict[str, pa.Array] = {
    "null": pa.nulls(2),
    "bytes": pa.array([b"\xff", b"a"]),
    "map": pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64())),
    "list": pa.array([[1, 2], None]),
    "list_of_lists": pa.array([[[1]], [[2]]]),
    "list_of_nulls": pa.array([[None], []], pa.list_(pa.null())),
    "infinite": pa.array([float("inf"), 1.0]),
    "decimal": pa.array([Decimal("1.5"), None]),
    "time": pa.array([1, 2], pa.time32("s")),
    "first_date": pa.array([-(2**31), 0], pa.date32()),
    "last_timestamp": pa.array([2**63 - 1, -(2**63)], pa.timestamp("us")),
    "bool": pa.array([True, None]),
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("role", ["session_id", "item_id", "time", "order", "filter", "next_item_id"])
@pytest.mark.parametrize("time_format", ["auto", "%Y-%m-%d"])
def test_columns_of_any_type_are_read_or_refused_with_a_sentence(
    read: Callable[..., Events], kind: str, role: str, time_format: str
) -> None:
    table = {"session_id": pa.array(["1", "2"]), "item_id": pa.array(["a", "b"]), "time": pa.array([1, 2])}
    options: dict[str, Any] = {"max_bad_share": 1.0, "time_format": time_format}
    table[role if role in table else "odd"] = ODD[kind]
    if role in ("order", "next_item_id"):
        options["columns"] = {role: "odd"}
    if role == "filter":
        options["filters"] = [{"column": "odd", "above": 0}]
    try:
        events = read(lambda path: pq.write_table(pa.table(table), path), "clicks.parquet", **options)
    except UserError as error:
        assert str(error)  # noqa: PT017
    else:
        assert len(events) + sum(events.dropped.values()) == sum(events.rows_of_files)


@pytest.mark.parametrize("kind", ["map", "list", "time"])
def test_a_column_of_no_times_is_refused_by_its_type(read: Callable[..., Events], kind: str) -> None:
    table = {"session_id": ["1", "2"], "item_id": ["a", "b"], "time": ODD[kind]}
    with pytest.raises(
        UserError, match=r"column 'time' is of type .*, which holds no times of|cannot be read as a time"
    ):
        read(lambda path: pq.write_table(pa.table(table), path), "clicks.parquet")
