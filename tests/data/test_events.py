"""Files of many kinds as one sorted log, and what is said about files that are no log."""

import csv
import gzip
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from prnn_cli.data.events import Events, read_events
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig

Config = Callable[..., DatasetConfig]
HEADER = "session_id,item_id,time\n"


@pytest.fixture
def read(dataset_config: Config, tmp_path: Path) -> Callable[..., Events]:
    """read(text, option=…): the log in a file of that content, "clicks.csv" unless `file` names another."""

    def read_text(content: str | bytes, file: str = "clicks.csv", **options: Any) -> Events:
        path = tmp_path / file
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_events(dataset_config(**{"path": str(path)} | options))

    return read_text


@pytest.fixture
def read_parquet(dataset_config: Config, tmp_path: Path) -> Callable[..., Events]:
    def read_frame(frame: dict[str, Any], **options: Any) -> Events:
        pd.DataFrame(frame).to_parquet(tmp_path / "clicks.parquet")
        return read_events(dataset_config(path=str(tmp_path / "clicks.parquet"), **options))

    return read_frame


def rows(events: Events) -> list[tuple[str, str, float]]:
    sessions, names = events.session_ids.take(events.session), events.item_ids.take(events.item)
    return list(zip(sessions.to_pylist(), names.to_pylist(), events.time, strict=True))


def items(events: Events) -> str:
    return " ".join(item for _, item, _ in rows(events))


# what is read


def test_rows_come_out_sorted_by_time(read: Callable[..., Events]) -> None:
    assert rows(read(HEADER + "1,b,20\n2,c,30\n1,a,10\n")) == [("1", "a", 10), ("1", "b", 20), ("2", "c", 30)]


def test_rows_of_equal_time_keep_their_order(read: Callable[..., Events]) -> None:
    names = [f"i{n}" for n in range(50)]
    text = HEADER + "1,late,8\n" + "".join(f"1,{name},7\n" for name in names)
    assert items(read(text)) == " ".join([*names, "late"])


def test_the_order_column_decides_within_equal_time_as_a_number(read: Callable[..., Events]) -> None:
    text = "session_id,item_id,time,n\n1,c,5,10\n1,b,5,9\n1,a,4,99\n"
    assert items(read(text, columns={"order": "n"})) == "a b c"


def test_ids_stay_as_they_are_written(read: Callable[..., Events]) -> None:
    assert rows(read(HEADER + "007,1e3,10\n7,NA,11\n")) == [("007", "1e3", 10), ("7", "NA", 11)]


def test_columns_are_found_by_their_configured_names(read: Callable[..., Events]) -> None:
    columns = {"session_id": "visit", "item_id": "the item", "time": "t"}
    assert rows(read("x,t,the item,visit\n?,1,a,v\n", columns=columns)) == [("v", "a", 1)]


@pytest.mark.parametrize("separator", [";", "\t", "|", ":"])
def test_the_separator_is_read_off_the_header(read: Callable[..., Events], separator: str) -> None:
    text = (HEADER + "1,a,10\n").replace(",", separator)
    assert rows(read(text)) == [("1", "a", 10)]


def test_commas_in_a_header_of_semicolons_are_no_separators(read: Callable[..., Events]) -> None:
    assert rows(read("a,b,c,d,e;session_id;item_id;time\n;1,5;a;10\n")) == [("1,5", "a", 10)]


def test_a_given_separator_may_be_any_character(read: Callable[..., Events]) -> None:
    assert rows(read((HEADER + "1,a,10\n").replace(",", "#"), separator="#")) == [("1", "a", 10)]


def test_a_byte_order_mark_windows_line_ends_and_blank_lines_do_not_matter(
    read: Callable[..., Events],
) -> None:
    text = b"\xef\xbb\xbf\r\nsession_id,item_id,time\r\n\r\n1,a,10\r\n\r\n1,b,11"
    assert rows(read(text)) == [("1", "a", 10), ("1", "b", 11)]


def test_other_encodings_are_read_when_named(read: Callable[..., Events]) -> None:
    assert items(read((HEADER + "1,café,10\n").encode("cp1252"), encoding="cp1252")) == "café"


def test_quoted_cells_may_hold_separators_and_line_ends(read: Callable[..., Events]) -> None:
    assert items(read(HEADER + '1,"a,\nb",10\n')) == "a,\nb"


def test_quoted_line_ends_are_read_in_files_of_any_length(read: Callable[..., Events]) -> None:
    cell = "one\n" * 50
    text = HEADER + "".join(f'{n},"{cell}",{n}\n' for n in range(8000))
    assert {item for _, item, _ in rows(read(text))} == {cell}


def test_gzipped_text_is_read_like_text(read: Callable[..., Events]) -> None:
    assert rows(read(gzip.compress((HEADER + "1,a,10\n").encode(), mtime=0), file="c.csv.gz")) == [
        ("1", "a", 10)
    ]


def test_parquet_numbers_become_the_text_that_a_csv_would_hold(read_parquet: Callable[..., Events]) -> None:
    whole = {"session_id": [1, 2], "item_id": [12345678901.0, 5.0], "time": [10, 11]}
    assert rows(read_parquet(whole)) == [("1", "12345678901", 10), ("2", "5", 11)]


def test_parquet_categories_are_read_as_their_values(read_parquet: Callable[..., Events]) -> None:
    columns = {"session_id": pd.Categorical([3, 3]), "item_id": pd.Categorical(["a", "b"]), "time": [1, 2]}
    assert rows(read_parquet(columns)) == [("3", "a", 1), ("3", "b", 2)]


def test_parquet_timestamps_are_utc_whatever_their_zone(read_parquet: Callable[..., Events]) -> None:
    times = pd.to_datetime(["1970-01-01 00:00:00.25", "1970-01-01 00:00:01.00"], utc=True)
    columns = {"session_id": ["1", "1"], "item_id": ["a", "b"]}
    for zone in ("Asia/Tokyo", None):
        read_back = read_parquet(columns | {"time": times.tz_convert(zone)})
        assert rows(read_back) == [("1", "a", 0.25), ("1", "b", 1)]


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


# times


@pytest.mark.parametrize(
    ("written", "time_format"),
    [
        ("1299666000.5", "auto"),
        ("1299666000.5", "seconds"),
        ("1299666000500", "auto"),
        ("1299666000500", "milliseconds"),
        ("1299666000500000", "auto"),
        ("1299666000500000", "microseconds"),
        ("1299666000500000000", "auto"),
        ("1299666000500000000", "nanoseconds"),
        ("2011-03-09T10:20:00.5", "auto"),
        ("2011-03-09 10:20:00.5", "iso"),
        ("2011-03-09T10:20:00.500Z", "auto"),
        ("2011-03-09T12:20:00.500+02:00", "iso"),
        ("09/03/2011 10:20:00.5", "%d/%m/%Y %H:%M:%S.%f"),
    ],
)
def test_times_of_every_format_are_seconds_utc(
    read: Callable[..., Events], written: str, time_format: str
) -> None:
    assert rows(read(HEADER + f"1,a,{written}\n", time_format=time_format)) == [("1", "a", 1299666000.5)]


def test_milliseconds_order_events_of_one_second(read: Callable[..., Events]) -> None:
    assert items(read(HEADER + "1,b,1299666000002\n1,a,1299666000001\n")) == "a b"


def test_a_date_may_stand_in_three_columns(read: Callable[..., Events]) -> None:
    text = "session_id,item_id,y,m,d\n1,b,1970,1,3\n1,a,1970,01,2\n"
    assert rows(read(text, columns={"time": ["y", "m", "d"]})) == [("1", "a", 86400), ("1", "b", 2 * 86400)]


def test_a_date_may_stand_in_three_parquet_columns(read_parquet: Callable[..., Events]) -> None:
    columns = {"session_id": [1], "item_id": [2], "y": [1970], "m": [1], "d": [2]}
    assert rows(read_parquet(columns, columns={"time": ["y", "m", "d"]})) == [("1", "2", 86400)]


# row filters

FILTERED = """session_id,item_id,time,price,text
1,a,10,2.5,x
C2,b,11,2.5,x
3C,c,12,0,x
4,d,13,0.01,
5,e,14,,x
6,f,15,1,x
"""


def test_row_filters_keep_what_they_say_and_count_what_they_drop(read: Callable[..., Events]) -> None:
    filters = [
        {"column": "session_id", "exclude": "^C"},
        {"column": "price", "above": 0},
        {"column": "text", "present": True},
    ]
    events = read(FILTERED, filters=filters)
    assert items(events) == "a f"
    assert events.dropped == {"session_id matches ^C": 1, "price not above 0": 2, "text missing": 1}
    assert sum(events.rows_of_files) == 6 == len(events) + sum(events.dropped.values())


def test_a_row_counts_for_the_first_filter_that_drops_it(read: Callable[..., Events]) -> None:
    filters = [{"column": "item_id", "exclude": "[ab]"}, {"column": "session_id", "exclude": "C"}]
    assert read(FILTERED, filters=filters).dropped == {"item_id matches [ab]": 2, "session_id matches C": 1}


def test_an_empty_cell_matches_no_pattern_and_stays(read: Callable[..., Events]) -> None:
    assert items(read(FILTERED, filters=[{"column": "text", "exclude": "."}])) == "d"


@pytest.mark.parametrize("time", ["20240305", "202403050904", "20240305090400"])
def test_a_date_without_separators_is_not_guessed_to_be_seconds(
    time: str, read: Callable[..., Events]
) -> None:
    with pytest.raises(UserError, match=r"cannot be read as a time with dataset\.time_format=auto"):
        read(HEADER + f"1,a,{time}\n")


def test_rows_can_be_kept_by_what_they_match(read: Callable[..., Events]) -> None:
    assert items(read(FILTERED, filters=[{"column": "item_id", "keep": "[ab]"}])) == "a b"


def test_rows_that_filters_drop_need_no_ids_and_times(read: Callable[..., Events]) -> None:
    filters = [{"column": "session_id", "present": True}]
    assert items(read(HEADER + ",,\n1,a,10\n", filters=filters)) == "a"


def test_parquet_columns_are_filtered_like_text(read_parquet: Callable[..., Events]) -> None:
    columns = {
        "session_id": [11, 21, 12, 13],
        "item_id": ["a", "b", "c", "d"],
        "time": [1, 2, 3, 4],
        "text": ["x", "x", "", None],
    }
    filters = [{"column": "session_id", "exclude": "^2"}, {"column": "text", "present": True}]
    events = read_parquet(columns, filters=filters)
    assert items(events) == "a"
    assert events.dropped == {"session_id matches ^2": 1, "text missing": 2}


# what is refused: the sentence says what, where, and what to do


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


REFUSED_TEXTS = [
    ("", {}, r"clicks\.csv is empty; it needs a header line and rows"),
    ("\n\n", {}, r"clicks\.csv is empty; it needs a header line and rows"),
    (HEADER, {}, r"clicks\.csv has a header but no rows"),
    (HEADER.strip(), {}, r"clicks\.csv has a header but no rows"),
    (
        "session_id,item,time\n1,a,1\n",
        {},
        r"csv has no column 'item_id'; it has 'session_id', 'item', 'time'.*set dataset\.columns\.item_id",
    ),
    (
        HEADER + "1,a,1\n",
        {"filters": [{"column": "price", "above": 0}]},
        r"no column 'price'; it has .*set dataset\.filters\[0\]\.column",
    ),
    (HEADER + "1,a,1\n", {"columns": {"order": "n"}}, r"no column 'n'; .*set dataset\.columns\.order"),
    (
        HEADER + "1,a,1\n",
        {"columns": {"time": ["y", "m", "d"]}},
        r"no column 'y'; .*set dataset\.columns\.time\[0\]",
    ),
    (
        HEADER + "1,a,1\n",
        {"columns": {"time": ["y", "m"]}},
        r"columns\.time=\['y', 'm'\] must be one column, or",
    ),
    ("time,session_id,item_id,time\n", {}, r"has more than one column 'time'; rename one of them"),
    (
        (HEADER + "1,a,1\n").replace(",", ";"),
        {"separator": ","},
        r"no column 'session_id'; it has 'session_id;item_id;time' \(read with dataset\.separator=','\)",
    ),
    (
        HEADER + "1,a,1\n",
        {"separator": ", "},
        r"dataset\.separator=', ' must be one character; null finds it",
    ),
    (HEADER + "1,a,1\n1,a\n", {}, r"clicks\.csv, line 3 has 2 cells, but the header has 3"),
    (HEADER + '1,a,1\n1,"a,1\n1,b,2\n', {}, r"clicks\.csv, line 3 has 2 cells, but the header has 3"),
    (
        HEADER + "1,a,1\n\n,b,2\n",
        {},
        r"clicks\.csv, line 4, column 'session_id': is empty; fill it in, or drop",
    ),
    (HEADER + '1,"a\nb",1\n1,,2\n', {}, r"clicks\.csv, line 4, column 'item_id': is empty"),
    (HEADER + "1,a,1\n1,b,\n", {}, r"line 3, column 'time': cannot be read as a time"),
    (HEADER + "1,a,1\n1,b,soon\n", {}, r"line 3, column 'time': 'soon' cannot be read as a time .*=auto"),
    (HEADER + "1,a,1299666000000\n1,b,0\n", {}, r"line 3, column 'time': '0' cannot be read as a time"),
    (HEADER + f"1,a,{10**21}\n", {}, r"line 2, column 'time': '1000000000000000000000' cannot be read"),
    (HEADER + "1,a,2011-03-09\n1,b,2011-02-30\n", {}, r"line 3, column 'time': '2011-02-30' cannot be read"),
    (HEADER + "1,a,1\n", {"time_format": "iso"}, r"line 2, column 'time': '1' cannot .*time_format=iso"),
    (HEADER + "1,a,nan\n", {"time_format": "seconds"}, r"line 2, column 'time': 'nan' cannot be read"),
    (
        HEADER + "1,a,1299666000000\n",
        {"time_format": "seconds"},
        r"line 2, .*: '1299666000000' cannot be read",
    ),
    (HEADER + "1,a,x\n", {"time_format": "milliseconds"}, r"line 2, column 'time': 'x' cannot be read"),
    (HEADER + "1,a,9/3\n", {"time_format": "%d.%m"}, r"line 2, column 'time': '9/3' .*time_format=%d\.%m"),
    (HEADER + "1,a,1\n", {"time_format": "%!"}, r'dataset\.time_format="%!" is no strptime pattern'),
    (
        HEADER + "1,a,1\n",
        {"time_format": "sec"},
        r"dataset\.time_format=sec does not exist; choose auto, seconds",
    ),
    (
        "session_id,item_id,y,m,d\n1,a,2011,13,1\n",
        {"columns": {"time": ["y", "m", "d"]}},
        r"line 2, column 'y, m, d': '2011-13-1' cannot be read as a time",
    ),
    (
        "session_id,item_id,time,n\n1,a,1,first\n",
        {"columns": {"order": "n"}},
        r"line 2, column 'n': 'first' is not a number to order by",
    ),
    (
        FILTERED.replace("0.01", "cheap"),
        {"filters": [{"column": "session_id", "exclude": "C"}, {"column": "price", "above": 0}]},
        r"line 5, column 'price': 'cheap' is not a number, which the filter above=0 needs",
    ),
    (FILTERED, {"filters": [{"column": "text", "exclude": "("}]}, r"exclude='\(' cannot be applied"),
    (FILTERED, {"filters": [{"column": "text"}]}, r"filter of column 'text' must have exactly one of"),
    (
        FILTERED,
        {"filters": [{"column": "price", "above": 2}, {"column": "text", "exclude": "x"}]},
        r"has 6 rows and dataset\.filters dropped all of them \(4: price not above 2\); loosen the filters",
    ),
    (HEADER + "1,a,1\n", {"encoding": "utf-88"}, r"dataset\.encoding=utf-88 does not exist"),
    ((HEADER + "1,café,1\n").encode("cp1252"), {}, r"clicks\.csv is not utf-8 text .*set dataset\.encoding"),
]


@pytest.mark.parametrize(("content", "options", "message"), REFUSED_TEXTS)
def test_text_that_is_no_log_is_refused(
    read: Callable[..., Events], content: str | bytes, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        read(content, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("clicks.parquet", HEADER.encode(), r"clicks\.parquet cannot be read .*check that its extension"),
        ("clicks.parquet", b"", r"clicks\.parquet is empty"),
        ("clicks.csv.gz", HEADER.encode(), r"clicks\.csv\.gz cannot be read .*check that its extension"),
        (
            "clicks.csv.gz",
            gzip.compress(HEADER.encode() * 99, mtime=0)[:-20],
            r"clicks\.csv\.gz breaks off after about line \d+: the compressed file is cut short",
        ),
        ("clicks.csv.gz", gzip.compress(b"", mtime=0), r"clicks\.csv\.gz is empty"),
        (
            "clicks.csv",
            b"PK\x03\x04\xff\xfe\x00",
            r"clicks\.csv is no text but a ZIP archive or a spreadsheet",
        ),
        (
            "clicks.csv",
            b"\x7fELF\x00\x00",
            r"clicks\.csv is a binary file; give CSV, TSV, JSON Lines or Parquet",
        ),
        (
            "clicks.csv",
            gzip.compress(HEADER.encode(), mtime=0),
            r"clicks\.csv is no text but compressed with gzip; let its",
        ),
        ("clicks.jsonl", b"PAR1....", r"clicks\.jsonl is no text but a Parquet file"),
        (
            "clicks.csv",
            HEADER.encode("utf-16"),
            r"clicks\.csv is not utf-8 text; set dataset\.encoding=utf-16",
        ),
        ("clicks.jsonl", b"", r"clicks\.jsonl is empty; it needs one JSON object a line"),
        (
            "clicks.jsonl",
            b"[1]\n",
            r"clicks\.jsonl, line 1 is no JSON object; a JSON Lines file holds one object",
        ),
        ("clicks.jsonl", b'{"item": "\xe9"}', r"clicks\.jsonl is not utf-8 text"),
    ],
)
def test_damaged_and_mislabelled_files_are_refused(
    read: Callable[..., Events], file: str, content: bytes, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        read(content, file=file)


def test_a_bad_row_of_a_parquet_file_is_named(read_parquet: Callable[..., Events]) -> None:
    columns = {"session_id": ["1", "1", ""], "item_id": ["a", "b", "c"], "time": [1, 2, 3]}
    with pytest.raises(UserError, match=r"clicks\.parquet, row 3, column 'session_id': is empty"):
        read_parquet(columns)


def test_fractional_parquet_ids_are_refused(read_parquet: Callable[..., Events]) -> None:
    columns = {"session_id": [1.5], "item_id": ["a"], "time": [1]}
    with pytest.raises(UserError, match=r"column 'session_id' is of type double; ids must be text or whole"):
        read_parquet(columns)


def test_the_line_of_an_error_is_counted_in_its_own_file(dataset_config: Config, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + "1,a,1\n1,a,2\n")
    (tmp_path / "b.csv").write_text(HEADER + "1,a,1\n1,a,x\n")
    with pytest.raises(UserError, match=r"b\.csv, line 3, column 'time': 'x'"):
        read_events(dataset_config(path=str(tmp_path)))


def test_a_row_of_megabytes_is_refused_as_such(read: Callable[..., Events]) -> None:
    with pytest.raises(UserError, match=r"has a row of more than 8 MB.*is a quote left open"):
        read(HEADER + "1,a,1\n1,b,2\n" * 10 + '1,"' + "a" * 20_000_000 + '",3\n')


# a real log against the csv module


def test_online_retail_holds_the_clean_rows_in_the_order_of_the_files(
    online_retail: Path, dataset_config: Config
) -> None:
    events = read_events(dataset_config("online_retail", path=str(online_retail)))
    clean, num_rows = [], 0
    for path in sorted(online_retail.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                num_rows += 1
                cancelled = row["InvoiceNo"].startswith("C")
                positive = float(row["Quantity"]) > 0 and float(row["UnitPrice"]) > 0
                if positive and row["Description"] and not cancelled:
                    when = datetime.fromisoformat(row["InvoiceDate"] + "+00:00").timestamp()
                    clean.append((row["InvoiceNo"], row["StockCode"], when))
    clean.sort(key=lambda row: row[2])
    assert rows(events) == clean
    assert sum(events.rows_of_files) == num_rows == 105_335
