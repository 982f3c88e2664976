"""A log as events in the order of time, and what is said about text that is no log."""

import csv
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from data.conftest import HEADER, items, rows
from prnn_cli.data.events import Events, cut_at_gaps, read_events
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig

Config = Callable[..., DatasetConfig]


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


def test_milliseconds_order_events_of_one_second(read: Callable[..., Events]) -> None:
    assert items(read(HEADER + "1,b,1299666000002\n1,a,1299666000001\n")) == "a b"


def test_a_date_may_stand_in_three_columns(read: Callable[..., Events]) -> None:
    text = "session_id,item_id,y,m,d\n1,b,1970,1,3\n1,a,1970,01,2\n"
    assert rows(read(text, columns={"time": ["y", "m", "d"]})) == [("1", "a", 86400), ("1", "b", 2 * 86400)]


def test_a_date_may_stand_in_three_parquet_columns(read_parquet: Callable[..., Events]) -> None:
    columns = {"session_id": [1], "item_id": [2], "y": [1970], "m": [1], "d": [2]}
    assert rows(read_parquet(columns, columns={"time": ["y", "m", "d"]})) == [("1", "2", 86400)]


def test_a_session_ends_where_a_user_pauses_for_longer_than_the_gap(read: Callable[..., Events]) -> None:
    text = "session_id,item_id,time\nu,a,0\nv,a,5\nu,b,60\nu,c,121\nv,b,6\nu,d,300\n"
    events = cut_at_gaps(read(text, "clicks.csv"), gap_s=60)
    assert rows(events) == rows(read(text, session_gap_s=60))
    assert [(session, item) for session, item, _ in rows(events)] == [
        ("u#1", "a"),
        ("v#1", "a"),
        ("v#1", "b"),
        ("u#1", "b"),
        ("u#2", "c"),
        ("u#3", "d"),
    ]


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
        r"columns\.time=\['y', 'm'\] must be one column, three as \[year, month, day\], or null",
    ),
    ("time,session_id,item_id,time\n", {}, r"has more than one column 'time'; rename one of them"),
    (
        (HEADER + "1,a,1\n").replace(",", ";"),
        {"separator": ","},
        r"no column 'session_id'; it has 'session_id;item_id;time' \(read with dataset\.separator=','\)",
    ),
    (HEADER + "1,a,1\n1,a\n", {}, r"clicks\.csv, line 3 has 2 cells, but the header has 3"),
    (HEADER + '1,a,1\n1,"a,1\n1,b,2\n', {}, r"clicks\.csv, line 3 has 2 cells over 2 lines"),
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
        "session_id,item_id,time,ms\n1,a,1,soon\n",
        {"columns": {"milliseconds": "ms"}},
        r"line 2, column 'ms': 'soon' is no number of milliseconds",
    ),
    (HEADER + "1,a,1\n", {"encoding": "utf-88"}, r"dataset\.encoding='utf-88' does not exist"),
    ((HEADER + "1,café,1\n").encode("cp1252"), {}, r"clicks\.csv is not utf-8 text .*set dataset\.encoding"),
]


@pytest.mark.parametrize(("content", "options", "message"), REFUSED_TEXTS)
def test_text_that_is_no_log_is_refused(
    read: Callable[..., Events], content: str | bytes, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        read(content, **options)
    assert "\n" not in str(caught.value)


def test_milliseconds_are_added_to_a_date(read: Callable[..., Events]) -> None:
    """As in Diginetica, whose clicks have a day, and the time since the session began."""
    text = "session_id;item_id;timeframe;eventdate\n1;b;1500;1970-01-02\n1;a;0;1970-01-02\n2;c;2;1970-01-01\n"
    events = read(text, columns={"time": "eventdate", "milliseconds": "timeframe"})
    assert rows(events) == [("2", "c", 0.002), ("1", "a", 86_400), ("1", "b", 86_401.5)]


def test_of_a_log_without_times_rows_keep_their_order_and_times_are_0(
    dataset_config: Config, tmp_path: Path
) -> None:
    (tmp_path / "1.csv").write_text("session_id,item_id\n9,z\n1,a\n9,y\n")
    (tmp_path / "2.csv").write_text("session_id,item_id\n1,b\n")
    events = read_events(dataset_config(path=str(tmp_path), columns={"time": None}))
    assert rows(events) == [("9", "z", 0), ("1", "a", 0), ("9", "y", 0), ("1", "b", 0)]


def test_a_log_without_times_may_have_an_order(read: Callable[..., Events]) -> None:
    text = "session_id,item_id,position\n1,b,2\n2,c,1\n1,a,1\n"
    events = read(text, columns={"time": None, "order": "position"})
    assert [(session, item) for session, item, _ in rows(events)] == [("2", "c"), ("1", "a"), ("1", "b")]


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


@pytest.mark.parametrize(("gap_over", "sessions"), [("kept", ["u#1", "u#2"]), ("all", ["u#1", "u#1"])])
def test_pauses_may_be_looked_for_among_rows_that_filters_drop(
    dataset_config: Callable[..., DatasetConfig], tmp_path: Path, gap_over: str, sessions: list[str]
) -> None:
    """Two views 3000 s apart, a cart between them; a cart without an item counts neither as a pause nor as bad."""
    rows = ["u,a,view,0", "u,b,cart,1500", "u,,cart,1600", "u,b,view,3000"]
    (tmp_path / "log.csv").write_text("\n".join(["session_id,item_id,event,time", *rows]) + "\n")
    filters = [{"column": "event", "keep": "^view$"}]
    dataset = dataset_config(
        path=str(tmp_path / "log.csv"),
        filters=filters,
        session_gap_s=1800,
        gap_over=gap_over,
        max_bad_share=0,
    )
    events = read_events(dataset)
    assert [events.session_ids[code].as_py() for code in events.session] == sessions
    assert [events.item_ids[code].as_py() for code in events.item] == ["a", "b"]
    assert events.time.tolist() == [0, 3000]
    assert events.dropped == {"event does not match ^view$": 2}
