"""What is told of columns that some logs alone have."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from prnn_cli.data.describe.explanation import columns_table, example_sessions, explanation
from prnn_cli.data.prepare import prepare
from prnn_cli.schema import DatasetConfig
from small import prepared, sessions_of

Config = Callable[..., DatasetConfig]


def told(dataset: DatasetConfig, rows_of_files: list[int]) -> dict[str, tuple[str, str]]:
    summary = {"rows_of_files": rows_of_files, "first": 86_400.0, "last": 86_401.5}
    table = columns_table(dataset, replace(prepared(sessions_of([0, 1])), summary=summary))
    return {what: (column, note) for what, column, note in table.itertuples(index=False)}


def test_a_log_without_times_is_told_to_have_none(dataset_config: Config, tmp_path: Path) -> None:
    (tmp_path / "0.csv").touch()
    (tmp_path / "1.csv").write_text("session_id,item_id,price\n1,a,5\n")
    table = told(dataset_config(path=str(tmp_path), columns={"time": None}), [0, 1])
    assert table["time"] == ("none", "rows are in order")
    assert table["not used"] == ("price", "")


def test_milliseconds_and_items_within_elements_are_told(dataset_config: Config, tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("session_id,item_id,day,ms\n1,a-1 b-0,1970-01-02,0\n")
    columns = {"time": "day", "milliseconds": "ms"}
    dataset = dataset_config(path=str(tmp_path), columns=columns, list_separator=" ", list_item="(.)-1")
    table = told(dataset, [2])
    assert table["time"] == ("day", "1970-01-02 00:00:00 to 1970-01-02 00:00:01 UTC")
    assert table["milliseconds"] == ("ms", "added to the time")
    assert table["item"] == ("item_id", "lists separated by ' ', the item in an element is (.)-1")
    assert table["not used"] == ("none", "")


def test_of_ids_that_would_fill_lines_the_ends_are_shown(dataset_config: Config, tmp_path: Path) -> None:
    session, item = "f" * 60 + "0123", "a" * 32
    rows = [f"{session},{item},100", f"{session},b,101", f"late,{item},90000", "late,b,90001"]
    (tmp_path / "1.csv").write_text("\n".join(["session_id,item_id,time", *rows]) + "\n")
    data = prepare(dataset_config(path=str(tmp_path), min_item_support=1), tmp_path / "cache")
    table = example_sessions(data)
    assert table["Session"].tolist() == ["ffffffffffff…ff0123", "late"]
    assert table["items"].tolist() == ["aaaaaaaaaaaa…aaaaaa b"] * 2


def test_of_a_long_log_the_last_days_alone_are_shown(dataset_config: Config, tmp_path: Path) -> None:
    rows = [f"{day},{item},{day * 86_400}" for day in range(30) for item in "ab"]
    (tmp_path / "1.csv").write_text("\n".join(["session_id,item_id,time", *rows]) + "\n")
    dataset = dataset_config(path=str(tmp_path), min_item_support=1)
    table = explanation(dataset, prepare(dataset, tmp_path / "cache"))["Last days"]
    assert table["Day (UTC)"].tolist() == [f"1970-01-{day}" for day in range(24, 31)]


def test_columns_of_vectors_and_of_properties_are_told(dataset_config: Config, tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("session_id,item_id,time\n1,a,5\n")
    vectors = {"path": "skus.csv", "vector_columns": {"text": "of_title", "image": "of_picture"}}
    table = told(dataset_config(path=str(tmp_path / "1.csv"), items=vectors), [1])
    assert table["text's vectors"] == ("of_title", "of skus.csv")
    assert table["image's vectors"] == ("of_picture", "of skus.csv")
    properties = {"path": "facts.csv", "properties": {"property": "what", "value": "is", "time": "since"}}
    table = told(dataset_config(path=str(tmp_path / "1.csv"), items=properties), [1])
    assert table["properties"] == ("what, is, since", "of facts.csv")
