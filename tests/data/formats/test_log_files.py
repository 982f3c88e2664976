"""The files of a path, and one small log in every format, equal each time."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.conftest import CLICKS, HEADER, delimited, items, json_lines, rows, zstd
from prnn_cli.data.events import Events, read_events
from prnn_cli.data.formats.log_files import glob_of
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig

Config = Callable[..., DatasetConfig]
LISTS = {"7": (["a", "b"], [1000, 1002]), "8": (["café", "a", "b"], [1001, 1003, 1004])}


def parquet(path: Path) -> None:
    pd.DataFrame(CLICKS, columns=["session_id", "item_id", "time"]).to_parquet(path)


def parquet_lists(path: Path) -> None:
    columns = {
        "session_id": list(LISTS),
        "item_id": [i for i, _ in LISTS.values()],
        "time": [t for _, t in LISTS.values()],
    }
    pq.write_table(pa.table(columns), path)


def json_of_lists() -> bytes:
    return "".join(
        json.dumps({"session_id": s, "item_id": i, "time": t}) + "\n" for s, (i, t) in LISTS.items()
    ).encode()


def text_of_lists(begin: str, end: str, separator: str) -> bytes:
    def cell(values: list[Any]) -> str:
        return f'"{begin}{separator.join(map(str, values))}{end}"'

    lines = [f"{s};{cell(i)};{cell(t)}" for s, (i, t) in LISTS.items()]
    return "\n".join(["session_id;item_id;time", *lines]).encode()


FORMATS: dict[str, tuple[bytes | Callable[[Path], None], dict[str, Any]]] = {
    "clicks.csv": (delimited(","), {}),
    "clicks.tsv": (delimited("\t"), {}),
    "clicks.csv.gz": (gzip.compress(delimited(";")), {}),
    "clicks.tsv.zst": (zstd(delimited("\t")), {}),
    "clicks.parquet": (parquet, {}),
    "clicks.jsonl": (json_lines(), {}),
    "clicks.ndjson.zst": (zstd(json_lines()), {}),
    "microseconds.csv": (delimited(",", 10**6), {"time_format": "microseconds"}),
    "lists.parquet": (parquet_lists, {}),
    "lists.jsonl": (json_of_lists(), {}),
    "lists.csv": (text_of_lists("", "", " "), {"list_separator": " "}),
    "brackets.csv": (text_of_lists("[", "]", ", "), {"list_separator": ","}),
}


@pytest.mark.parametrize("file", FORMATS)
def test_every_format_says_the_same(read: Callable[..., Events], file: str) -> None:
    content, options = FORMATS[file]
    events = read(content, file, **options)
    assert rows(events) == CLICKS
    assert events.rows_of_files == [5]
    assert events.dropped == {}


def test_a_folder_is_one_log_in_the_order_of_its_file_names(dataset_config: Config, tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text(HEADER + "1,second,5\n")
    (tmp_path / "a.tsv").write_text((HEADER + "2,first,5\n").replace(",", "\t"))
    (tmp_path / "c.csv").write_text(HEADER)
    pd.DataFrame({"session_id": [2], "item_id": ["third"], "time": [5]}).to_parquet(tmp_path / "d.parquet")
    (tmp_path / "README.md").write_text("no data")
    (tmp_path / ".hidden.csv").write_text("no data")
    events = read_events(dataset_config(path=str(tmp_path)))
    assert rows(events) == [("2", "first", 5), ("1", "second", 5), ("2", "third", 5)]


def test_a_glob_takes_the_files_that_match(dataset_config: Config, tmp_path: Path) -> None:
    for name in ("2011-01.csv", "2011-02.csv", "2010-12.csv"):
        (tmp_path / name).write_text(HEADER + f"1,{name[:-4]},5\n")
    assert items(read_events(dataset_config(path=f"{tmp_path}/2011-*.csv"))) == "2011-01 2011-02"


def test_a_path_that_is_not_set_is_refused(dataset_config: Config) -> None:
    with pytest.raises(UserError, match=r"dataset\.path is not set; give a file, a folder or a glob"):
        read_events(dataset_config(path=None))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("gone.csv", r"dataset\.path=.*gone\.csv does not exist; give"),
        ("gone-*.csv", r"dataset\.path=.*gone-\*\.csv matches no file"),
        ("empty", r"empty holds no data files; they must end in \.csv, "),
        ("clicks.xlsx", r"clicks\.xlsx has an unknown extension; a data file must end in \.csv, "),
        ("clicks.x*", r"clicks\.xlsx has an unknown extension"),
    ],
)
def test_paths_without_data_are_refused(
    dataset_config: Config, tmp_path: Path, path: str, message: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.md").touch()
    (tmp_path / "clicks.xlsx").touch()
    with pytest.raises(UserError, match=message):
        read_events(dataset_config(path=str(tmp_path / path)))


def test_the_same_file_twice_is_refused(dataset_config: Config, tmp_path: Path) -> None:
    for name in ("clicks.csv", "clicks (1).csv"):
        (tmp_path / name).write_bytes(delimited(","))
    with pytest.raises(
        UserError, match=r"clicks \(1\)\.csv and .*clicks\.csv are copies of each other; leave one"
    ):
        read_events(dataset_config(path=str(tmp_path)))


def test_days_without_rows_are_no_copies(dataset_config: Config, tmp_path: Path) -> None:
    for name in ("1.csv", "2.csv"):
        (tmp_path / name).write_text("session_id,item_id,time\n")
    (tmp_path / "3.csv").write_bytes(delimited(","))
    assert read_events(dataset_config(path=str(tmp_path))).rows_of_files == [0, 0, 5]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [(["b.csv"], "b.csv"), (["x_1.csv", "x_2.csv"], "x_*.csv"), (["b.csv", "x_1.csv"], None)],
)
def test_some_of_the_files_have_a_path_of_their_own_or_none(chosen: list[str], expected: str | None) -> None:
    files = [Path("logs", name) for name in ("b.csv", "x_1.csv", "x_2.csv")]
    path = glob_of([Path("logs", name) for name in chosen], files)
    assert path == (None if expected is None else f"logs/{expected}")


@pytest.mark.parametrize("name", ["0.csv", "9.csv", "9.csv.gz", "0.jsonl"])
def test_an_empty_file_among_others_is_left_out_with_a_warning(
    dataset_config: Config, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """As hours without a click are in Globo's folder."""
    for file in ("1.csv", "2.csv"):
        (tmp_path / file).write_text(HEADER + f"{file[0]},a,5\n")
    (tmp_path / name).touch()
    events = read_events(dataset_config(path=str(tmp_path)))
    assert rows(events) == [("1", "a", 5), ("2", "a", 5)]
    assert sorted(events.rows_of_files) == [0, 1, 1]
    assert f"1 of 3 files hold nothing: {tmp_path / name} is empty" in caplog.text


def test_files_that_are_all_empty_are_refused(dataset_config: Config, tmp_path: Path) -> None:
    for file in ("1.csv", "2.csv"):
        (tmp_path / file).touch()
    with pytest.raises(UserError, match=r"1\.csv is empty; it needs a header line and rows"):
        read_events(dataset_config(path=str(tmp_path)))


def test_a_json_file_is_read_where_it_is_named_and_not_as_one_of_a_folder(
    dataset_config: Config, tmp_path: Path
) -> None:
    (tmp_path / "about.json").write_text('{"session_id": 1, "item_id": "named", "time": 5}\n')
    (tmp_path / "clicks.csv").write_text(HEADER + "1,a,5\n")
    assert items(read_events(dataset_config(path=str(tmp_path)))) == "a"
    assert items(read_events(dataset_config(path=f"{tmp_path}/*.json"))) == "named"
