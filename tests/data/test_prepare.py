"""What preparing leaves in the cache, when it is used again, and the real logs against the csv module."""

import csv
import dataclasses
import json
import logging
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from slow_sessions import Event, SlowSplit, slow_split

from prnn_cli.data.prepare import PreparedData, prepare
from prnn_cli.data.sessions import Sessions
from prnn_cli.errors import RunError, UserError
from prnn_cli.schema import DatasetConfig

Config = Callable[..., DatasetConfig]
DAY_S = 86_400
ROWS = ["1 a 1", "1 b 2", "2 b 3", "2 c 4", "3 c 5", f"4 a {DAY_S}", f"4 x {DAY_S + 1}", f"4 b {DAY_S + 2}"]


@pytest.fixture
def dataset(dataset_config: Config, write_log: Callable[..., str]) -> DatasetConfig:
    return dataset_config(path=write_log(*ROWS), min_item_support=1)


def as_lists(sessions: Sessions) -> list[list[int]]:
    bounds = zip(sessions.offsets[:-1], sessions.offsets[1:], strict=True)
    return [list(sessions.items[first:last]) for first, last in bounds]


def test_sessions_items_and_counts_are_those_of_the_log(dataset: DatasetConfig, tmp_path: Path) -> None:
    prepared = prepare(dataset, tmp_path / "cache")
    assert list(prepared.item_ids) == ["a", "b", "c"]
    assert list(prepared.support) == [1, 2, 1]
    assert as_lists(prepared.train) == [[0, 1], [1, 2]]
    assert as_lists(prepared.test) == [[0, 1]]
    assert prepared.validation is None
    assert prepared.train.num_items == prepared.test.num_items == 3
    assert not prepared.reused
    assert prepared.summary == {
        "train": {"sessions": 2, "events": 4},
        "test": {"sessions": 1, "events": 2},
        "items": 3,
        "dropped": {"sessions of one event": 1, "test: items unknown in training": 1},
        "rows": 8,
        "rows_of_files": [8],
        "first": 1,
        "last": DAY_S + 2,
        "last_days": [
            {"day": "1970-01-01", "sessions": 2, "ranked": 2},
            {"day": "1970-01-02", "sessions": 1, "ranked": 1},
        ],
        "enough_days": [1, 1],
    }


@pytest.mark.parametrize(("test_by", "expected"), [("last_event", DAY_S + 2), ("first_event", DAY_S)])
def test_the_test_part_begins_with_its_earliest_deciding_event(
    dataset: DatasetConfig, tmp_path: Path, test_by: str, expected: float
) -> None:
    dataset = dataclasses.replace(dataset, test_by=test_by)
    prepared = prepare(dataset, tmp_path / "cache")
    assert prepared.test_from(dataset) == expected


def test_data_of_options_that_came_later_keep_their_hash_where_these_are_off(
    dataset: DatasetConfig, tmp_path: Path
) -> None:
    """So that a newer version finds what an earlier one has prepared."""
    assert prepare(dataset, tmp_path / "cache").data_hash == "76af7021f5a510b6f962394a90746c4e"


def test_the_folder_holds_tables_that_any_reader_understands(dataset: DatasetConfig, tmp_path: Path) -> None:
    folder = prepare(dataset, tmp_path / "cache").folder
    tables = {"events.parquet", "items.parquet", "summary.json", "checksums.json"}
    assert {path.name for path in folder.iterdir()} == tables
    events = pd.read_parquet(folder / "events.parquet")
    assert list(events.columns) == ["session_id", "session_index", "item_index", "time", "part"]
    assert not [name for name in events if isinstance(events[name].dtype, pd.CategoricalDtype)]
    assert events.to_numpy().tolist() == [
        ["1", 0, 0, 1.0, "train"],
        ["1", 0, 1, 2.0, "train"],
        ["2", 1, 1, 3.0, "train"],
        ["2", 1, 2, 4.0, "train"],
        ["4", 2, 0, DAY_S, "test"],
        ["4", 2, 1, DAY_S + 2, "test"],
    ]
    items = pd.read_parquet(folder / "items.parquet")
    assert list(items.columns) == ["item_index", "item_id", "support"]
    assert items.to_numpy().tolist() == [[0, "a", 1], [1, "b", 2], [2, "c", 1]]


def test_a_validation_part_is_listed_with_the_others(
    dataset_config: Config, write_log: Callable[..., str], tmp_path: Path
) -> None:
    rows = [f"{day} {item} {day * DAY_S}" for day in range(5) for item in "ab"]
    dataset = dataset_config(path=write_log(*rows), min_item_support=1, validation_days=1)
    prepared = prepare(dataset, tmp_path / "cache")
    assert prepared.validation is not None
    assert as_lists(prepared.validation) == [[0, 1]]
    assert list(prepared.summary)[:5] == ["train", "validation", "test", "items", "dropped"]
    assert prepared.summary["validation"] == {"sessions": 1, "events": 2}


def assert_same(first: PreparedData, second: PreparedData) -> None:
    assert (first.folder, first.data_hash, first.summary) == (second.folder, second.data_hash, second.summary)
    assert as_lists(first.train) == as_lists(second.train)
    assert as_lists(first.test) == as_lists(second.test)
    assert list(first.item_ids) == list(second.item_ids)
    assert list(first.support) == list(second.support)


def test_a_second_call_reuses_the_folder_and_says_so(
    dataset: DatasetConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    first = prepare(dataset, tmp_path / "cache")
    assert "reusing" not in caplog.text
    second = prepare(dataset, tmp_path / "cache")
    assert second.reused
    assert_same(first, second)
    assert f"reusing prepared data in {first.folder}" in caplog.text


def test_the_same_log_elsewhere_under_another_name_is_the_same_data(
    dataset: DatasetConfig, dataset_config: Config, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(str(dataset.path), tmp_path / "elsewhere" / "other.csv")
    other = dataset_config(path=str(tmp_path / "elsewhere"), min_item_support=1)
    other.name = "mine"
    assert prepare(other, tmp_path / "cache").data_hash == prepare(dataset, tmp_path / "cache").data_hash


def test_another_row_is_other_data(
    dataset: DatasetConfig, write_log: Callable[..., str], tmp_path: Path
) -> None:
    first = prepare(dataset, tmp_path / "cache")
    write_log(*ROWS, "2 a 5")
    second = prepare(dataset, tmp_path / "cache")
    assert second.data_hash != first.data_hash
    assert as_lists(second.train) == [[0, 1], [1, 2, 0]]


@pytest.mark.parametrize(
    "option", [{"drop_repeats": True}, {"max_session_length": 7}, {"test_from": "1970-01-02"}]
)
def test_another_rule_is_other_data(
    option: dict[str, Any], dataset: DatasetConfig, dataset_config: Config, tmp_path: Path
) -> None:
    other = dataset_config(**{"path": dataset.path, "min_item_support": 1} | option)
    assert prepare(other, tmp_path / "cache").data_hash != prepare(dataset, tmp_path / "cache").data_hash


@pytest.mark.parametrize("file", ["events.parquet", "items.parquet", "summary.json"])
@pytest.mark.parametrize("damage", ["truncated", "missing"])
def test_damaged_data_is_prepared_again_with_a_warning(
    file: str, damage: str, dataset: DatasetConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = prepare(dataset, tmp_path / "cache")
    path = first.folder / file
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-20])
    else:
        path.unlink()
    second = prepare(dataset, tmp_path / "cache")
    assert not second.reused
    assert_same(first, second)
    (warning,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert f"{first.folder} is damaged" in warning.getMessage()
    assert prepare(dataset, tmp_path / "cache").reused


def test_data_under_the_name_of_another_log_is_not_believed(
    dataset: DatasetConfig, write_log: Callable[..., str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = prepare(dataset, tmp_path / "cache")
    write_log(*ROWS, "2 a 5")
    second = prepare(dataset, tmp_path / "cache")
    shutil.rmtree(second.folder)
    first.folder.rename(second.folder)
    again = prepare(dataset, tmp_path / "cache")
    assert not again.reused
    assert_same(again, second)
    assert f"{second.folder} is damaged (it was made from something else)" in caplog.text


def test_nothing_is_left_where_a_log_is_refused(
    dataset_config: Config, write_log: Callable[..., str], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="items too rare"):
        prepare(dataset_config(path=write_log(*ROWS), min_item_support=9), tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_cache_that_cannot_be_written_is_an_error_of_the_run(
    dataset: DatasetConfig, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file stands here")
    with pytest.raises(RunError, match=r"cannot write .*cache/prepared/"):
        prepare(dataset, tmp_path / "cache")


def test_scale_is_refused_for_a_log_that_is_read(dataset_config: Config, tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"dataset\.scale=0\.5 sizes a generated log, but dataset=generic is read"
    ):
        prepare(dataset_config(path="clicks.csv", scale=0.5), tmp_path)


def test_a_generated_log_is_prepared_like_any_other(dataset_config: Config, tmp_path: Path) -> None:
    first = prepare(dataset_config("synthetic", scale=0.05), tmp_path)
    assert first.folder.parent == tmp_path / "prepared"
    assert first.train.num_sessions > 100
    assert first.test.num_sessions > 10
    assert prepare(dataset_config("synthetic", scale=0.05), tmp_path).reused
    assert prepare(dataset_config("synthetic", scale=0.06), tmp_path).data_hash != first.data_hash


# real logs


def as_slow_split(prepared: PreparedData) -> SlowSplit:
    events = pd.read_parquet(prepared.folder / "events.parquet")
    events["item_id"] = prepared.item_ids[events["item_index"]]
    parts = {}
    for part in ("train", "test"):
        groups = events[events["part"] == part].groupby("session_index")
        parts[part] = [(group["session_id"].iloc[0], list(group["item_id"])) for _, group in groups]
    return SlowSplit(parts, list(prepared.item_ids), sum(prepared.summary["dropped"].values()))


def csv_rows(folder: Path, separator: str) -> list[dict[str, str]]:
    rows = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as stream:
            rows += csv.DictReader(stream, delimiter=separator)
    return rows


def test_online_retail_comes_out_as_from_the_slow_preprocessing(
    online_retail: Path, dataset_config: Config, tmp_path: Path
) -> None:
    dataset = dataset_config("online_retail", path=str(online_retail), test_days=7)
    prepared = prepare(dataset, tmp_path)
    rows = csv_rows(online_retail, ",")
    clean: list[Event] = [
        (row["InvoiceNo"], row["StockCode"], datetime.fromisoformat(row["InvoiceDate"] + "Z").timestamp())
        for row in rows
        if row["InvoiceNo"][0] != "C"
        and float(row["Quantity"]) > 0
        and float(row["UnitPrice"]) > 0
        and row["Description"]
    ]
    slow = slow_split(clean, dataset)
    slow.num_dropped += len(rows) - len(clean)
    assert as_slow_split(prepared) == slow
    assert prepared.summary["rows"] == len(rows) == 105_335


def test_eshop_clothing_comes_out_as_from_the_slow_preprocessing(
    eshop_clothing: Path, dataset_config: Config, tmp_path: Path
) -> None:
    dataset = dataset_config("eshop_clothing", path=str(eshop_clothing), test_days=7)
    prepared = prepare(dataset, tmp_path)
    rows = csv_rows(eshop_clothing, ";")
    rows.sort(key=lambda row: int(row["order"]))
    clicks: list[Event] = [
        (
            row["session ID"],
            row["page 2 (clothing model)"],
            datetime(int(row["year"]), int(row["month"]), int(row["day"]), tzinfo=UTC).timestamp(),
        )
        for row in rows
    ]
    assert as_slow_split(prepared) == slow_split(clicks, dataset)
    assert json.loads((prepared.folder / "summary.json").read_text())["rows"] == len(rows) == 165_474
