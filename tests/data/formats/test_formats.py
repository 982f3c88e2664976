"""One small log in every format, equal each time, and the rows that cannot be read."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from prnn_cli.data.events import Events, cut_at_gaps, read_events
from prnn_cli.data.formats.log_files import open_file
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig

Config = Callable[..., DatasetConfig]
CLICKS = [("7", "a", 1000), ("8", "café", 1001), ("7", "b", 1002), ("8", "a", 1003), ("8", "b", 1004)]
LISTS = {"7": (["a", "b"], [1000, 1002]), "8": (["café", "a", "b"], [1001, 1003, 1004])}


def rows(events: Events) -> list[tuple[str, str, float]]:
    sessions, names = events.session_ids.take(events.session), events.item_ids.take(events.item)
    return list(zip(sessions.to_pylist(), names.to_pylist(), events.time, strict=True))


def delimited(separator: str, unit: int = 1) -> bytes:
    lines = [("session_id", "item_id", "time"), *((s, i, t * unit) for s, i, t in CLICKS)]
    return "".join(separator.join(map(str, line)) + "\n" for line in lines).encode()


def json_lines() -> bytes:
    return "".join(
        json.dumps({"session_id": int(s), "item_id": i, "time": t}) + "\n" for s, i, t in CLICKS
    ).encode()


def zstd(content: bytes) -> bytes:
    return bytes(pa.compress(content, codec="zstd", asbytes=True))


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


@pytest.fixture
def read(dataset_config: Config, tmp_path: Path) -> Callable[..., Events]:
    def read_content(content: bytes | str | Callable[[Path], None], file: str, **options: Any) -> Events:
        path = tmp_path / file
        if callable(content):
            content(path)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_events(dataset_config(path=str(path), **options))

    return read_content


@pytest.mark.parametrize("file", FORMATS)
def test_every_format_says_the_same(read: Callable[..., Events], file: str) -> None:
    content, options = FORMATS[file]
    events = read(content, file, **options)
    assert rows(events) == CLICKS
    assert events.rows_of_files == [5]
    assert events.dropped == {}


# lists and gaps


def test_of_lists_without_times_of_their_own_all_items_have_the_sessions_time(
    read: Callable[..., Events],
) -> None:
    text = 'session_id,item_id,time\n1,"b a b",2024-05-01 09:30\n2,c,2024-05-01 09:29\n'
    events = read(text, "clicks.csv", list_separator=" ")
    assert [(session, item) for session, item, _ in rows(events)] == [
        ("2", "c"),
        ("1", "b"),
        ("1", "a"),
        ("1", "b"),
    ]


def test_lists_may_come_without_the_id_of_a_session(read: Callable[..., Events]) -> None:
    text = '{"item_id": ["a", "b"], "time": 5}\n{"item_id": [7, "a"], "time": 6}\n'
    events = read(text, "clicks.jsonl", columns={"session_id": None})
    assert rows(events) == [("1", "a", 5), ("1", "b", 5), ("2", "7", 6), ("2", "a", 6)]


def test_single_items_without_a_session_are_refused(read: Callable[..., Events]) -> None:
    with pytest.raises(
        UserError, match=r"session_id=null makes each row a session, but .* holds single items"
    ):
        read("item_id,time\na,5\n", "clicks.csv", columns={"session_id": None})


def test_an_empty_list_and_one_with_other_times_are_bad_rows(read: Callable[..., Events]) -> None:
    lists = ["[]", '["a", "b"]', '["a", "b"]', "null"]
    times = ["[]", "[1, 2]", "[1]", "[3]"]
    lines = [
        f'{{"session_id": {n}, "item_id": {i}, "time": {t}}}\n'
        for n, (i, t) in enumerate(zip(lists, times, strict=True))
    ]
    events = read("".join(lines), "clicks.jsonl", max_bad_share=1)
    assert rows(events) == [("1", "a", 1), ("1", "b", 2)]
    assert sum(events.rows_of_files) == 6 == len(events) + sum(events.dropped.values())


def test_a_session_ends_where_a_user_pauses_for_longer_than_the_gap(read: Callable[..., Events]) -> None:
    text = "session_id,item_id,time\nu,a,0\nv,a,5\nu,b,60\nu,c,121\nv,b,6\nu,d,300\n"
    events = cut_at_gaps(read(text, "clicks.csv"), gap_s=60)
    assert [(session, item) for session, item, _ in rows(events)] == [
        ("u#1", "a"),
        ("v#1", "a"),
        ("v#1", "b"),
        ("u#1", "b"),
        ("u#2", "c"),
        ("u#3", "d"),
    ]


# bad rows

GOOD = [f"1,a,{n}" for n in range(96)]
BAD = ["1,a,soon", ",a,5", "1,nan,5", "1,a"]
LOG = "\n".join(["session_id,item_id,time", *GOOD, *BAD]) + "\n"


def test_bad_rows_are_left_out_counted_and_told(
    read: Callable[..., Events], caplog: pytest.LogCaptureFixture
) -> None:
    events = read(LOG, "clicks.csv", max_bad_share=0.04)
    assert len(events) == 96
    assert events.dropped == {
        "bad rows: session_id is empty": 1,
        "bad rows: item_id is empty": 1,
        "bad rows: time cannot be read as a time with dataset.time_format=auto": 1,
        "bad rows: no rows of the table": 1,
    }
    assert sum(events.rows_of_files) == 100
    assert "4 of 100 rows cannot be read and are left out" in caplog.text


def test_more_bad_rows_than_the_share_are_refused_with_the_first_three(read: Callable[..., Events]) -> None:
    text = LOG.replace("1,a,0\n", "1,a,never\n1,a,\n").replace("1,a,50\n", "1,a,often\n")
    with pytest.raises(UserError) as caught:
        read(text, "clicks.csv", max_bad_share=0.03)
    message = str(caught.value)
    for place in (
        "line 2, column 'time': 'never'",
        "line 3, column 'time': cannot",
        "line 53, column 'time': 'often'",
    ):
        assert f"clicks.csv, {place}" in message
    assert "7 of 101 rows cannot be read, and dataset.max_bad_share=0.03" in message
    assert message.count("clicks.csv, line") == 3
    assert "\n" not in message


def test_a_row_after_one_of_another_width_keeps_its_line(read: Callable[..., Events]) -> None:
    with pytest.raises(
        UserError, match=r"clicks\.csv, line 4, column 'time': 'soon' cannot be read.*; .*line 3 has 2"
    ):
        read("session_id,item_id,time\n1,a,5\n1,a\n1,a,soon\n", "clicks.csv")


def test_lines_that_an_open_quote_swallows_count_as_bad_rows(read: Callable[..., Events]) -> None:
    text = LOG.replace("1,a,20\n", '1,"a,20\n').replace("1,a,60\n", '1,a,60"\n')
    with pytest.raises(UserError, match=r"45 of 100 rows cannot be read"):
        read(text, "clicks.csv", max_bad_share=0.1)


def test_a_broken_row_in_another_encoding_far_down_is_a_sentence_alone(
    dataset_config: Callable[..., DatasetConfig], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Too far for the first look at the file, which reads a few thousand characters."""
    rows = "".join(f"{n // 3},i{n % 50},{n}\n" for n in range(9000)).encode()
    (tmp_path / "clicks.csv").write_bytes(b"session_id,item_id,time\n" + rows + b"1,c\xe5\n" + rows)
    with pytest.raises(UserError, match=r"clicks\.csv is not utf-8 text .*; set dataset\.encoding"):
        read_events(dataset_config(path=str(tmp_path / "clicks.csv"), max_bad_share=0.5))
    assert capfd.readouterr().err == ""


def test_a_broken_line_of_json_is_named(read: Callable[..., Events]) -> None:
    text = json_lines().decode() + '{"session_id": 7, "item_id\n[1, 2]\n'
    with pytest.raises(
        UserError, match=r"clicks\.jsonl, line 6 is no JSON object; .*line 7 is no JSON object"
    ):
        read(text, "clicks.jsonl")
    events = read(text + "\n", "clicks.jsonl", max_bad_share=0.5)
    assert (rows(events), events.dropped) == (CLICKS, {"bad rows: no rows of the table": 2})


def test_ids_of_json_may_be_numbers_and_text_in_turns(read: Callable[..., Events]) -> None:
    text = "".join(f'{{"session_id": {s}, "item_id": "a", "time": 5}}\n' for s in ("1", '"1"', '"x"', "2"))
    assert [session for session, _, _ in rows(read(text, "clicks.jsonl"))] == ["1", "1", "x", "2"]


def test_a_table_of_json_may_change_its_types_along_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prnn_cli.data.formats.json_files.BLOCK_ROWS", 2)
    path = tmp_path / "items.jsonl"
    path.write_text("".join(f'{{"item_id": {i}, "n": null}}\n' for i in ("1", "2", '"x"')))
    table = open_file(path, None, "utf-8", []).read(["item_id", "n"])
    assert table.to_pydict() == {"item_id": ["1", "2", "x"], "n": [None, None, None]}


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


def test_times_out_of_range_are_bad_rows(read: Callable[..., Events]) -> None:
    text = "session_id,item_id,time\n1,a,2024-05-01\n1,b,9999-12-31\n1,c,0001-01-01T00:00:00Z\n"
    events = read(text, "clicks.csv", max_bad_share=0.9)
    assert [item for _, item, _ in rows(events)] == ["c", "a"]


def test_a_zstd_stream_that_is_cut_short_is_a_sentence_with_a_line(read: Callable[..., Events]) -> None:
    numbers = [(n, n * 7919 % 1000, n) for n in range(200_000)]
    csv = "session_id,item_id,time\n" + "".join(f"{s},{i},{t}\n" for s, i, t in numbers)
    lines = "".join(f'{{"session_id": {s}, "item_id": {i}, "time": {t}}}\n' for s, i, t in numbers)
    for file, text in (("clicks.csv.zst", csv), ("clicks.jsonl.zst", lines)):
        whole = zstd(text.encode())
        with pytest.raises(
            UserError, match=r"clicks\..* breaks off after about line \d{5,6}: the compressed file"
        ):
            read(whole[: len(whole) // 2], file)


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
