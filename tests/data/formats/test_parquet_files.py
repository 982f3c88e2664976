"""Parquet columns of any type are read like the text of a CSV."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
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
