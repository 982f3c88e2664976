"""Times of every format as seconds, and what is no time."""

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from data.conftest import HEADER, rows
from prnn_cli.data.events import Events
from prnn_cli.data.formats.times import TimeParser
from prnn_cli.errors import UserError


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
        ("40611.4305613426", "excel_days"),
    ],
)
def test_times_of_every_format_are_seconds_utc(
    read: Callable[..., Events], written: str, time_format: str
) -> None:
    assert rows(read(HEADER + f"1,a,{written}\n", time_format=time_format)) == [("1", "a", 1299666000.5)]


def test_offsets_keep_the_order_of_clicks_where_clocks_are_put_back_or_forward(
    read: Callable[..., Events],
) -> None:
    autumn = ["a,2024-10-27T02:50:00+02:00", "b,2024-10-27T02:10:00+01:00", "c,2024-10-27T02:20:00+01:00"]
    spring = ["d,2025-03-30T01:59:59+01:00", "e,2025-03-30T03:00:00+02:00", "f,2025-03-30T01:00:01Z"]
    events = rows(read(HEADER + "".join(f"1,{row}\n" for row in reversed([*autumn, *spring]))))
    assert "".join(item for _, item, _ in events) == "abcdef"
    seconds = [time for *_, time in events]
    assert [seconds[1] - seconds[0], seconds[2] - seconds[1]] == [20 * 60, 10 * 60]
    assert [seconds[4] - seconds[3], seconds[5] - seconds[4]] == [1, 1]


def test_zones_by_name_are_refused_as_they_may_mean_two_times(read: Callable[..., Events]) -> None:
    with pytest.raises(UserError, match=r"'2024-10-27T02:30:00 CET' cannot be read as a time"):
        read(HEADER + "1,a,2024-10-27T02:30:00 CET\n")


@pytest.mark.parametrize(
    "kind", [pa.date32(), pa.date64(), pa.timestamp("s"), pa.timestamp("us"), pa.timestamp("ns")]
)
def test_the_furthest_dates_of_a_parquet_file_are_no_times(kind: pa.DataType) -> None:
    furthest = 2**31 - 1 if kind == pa.date32() else 2**63 - 1
    times = pa.chunked_array([pa.array([furthest, -furthest, 0, None], kind)])
    seconds = TimeParser("auto").seconds(times)
    assert seconds[2] == 0
    assert np.isnan(seconds[3])
    if kind != pa.timestamp("ns"):  # whose numbers end in 2262
        assert np.isnan(seconds[:2]).all()


def test_parquet_timestamps_are_utc_whatever_their_zone(read_parquet: Callable[..., Events]) -> None:
    times = pd.to_datetime(["1970-01-01 00:00:00.25", "1970-01-01 00:00:01.00"], utc=True)
    columns = {"session_id": ["1", "1"], "item_id": ["a", "b"]}
    for zone in ("Asia/Tokyo", None):
        read_back = read_parquet(columns | {"time": times.tz_convert(zone)})
        assert rows(read_back) == [("1", "a", 0.25), ("1", "b", 1)]


@pytest.mark.parametrize("time", ["20240305", "202403050904", "20240305090400"])
def test_a_date_without_separators_is_not_guessed_to_be_seconds(
    time: str, read: Callable[..., Events]
) -> None:
    with pytest.raises(UserError, match=r"cannot be read as a time with dataset\.time_format=auto"):
        read(HEADER + f"1,a,{time}\n")


@pytest.mark.parametrize(
    ("time", "time_format", "advice"),
    [
        (
            "1714550000000",
            "seconds",
            "as milliseconds it is 2024-05-01 07:53:20: set dataset.time_format=milliseconds",
        ),
        ("20240305", "auto", 'set dataset.time_format="%Y%m%d"'),
        ("202403050904", "auto", 'set dataset.time_format="%Y%m%d%H%M"'),
        ("noon", "iso", "mend it or set another format"),
    ],
)
def test_a_value_that_is_no_time_comes_with_what_would_read_it(
    time: str, time_format: str, advice: str, read: Callable[..., Events]
) -> None:
    with pytest.raises(UserError, match=f"; {re.escape(advice)} "):
        read(HEADER + f"1,a,{time}\n", time_format=time_format)


@pytest.mark.parametrize("time_format", ["seconds", "milliseconds"])
def test_numbers_that_would_be_before_the_year_1_are_no_times(
    time_format: str, read: Callable[..., Events]
) -> None:
    with pytest.raises(UserError, match="cannot be read as a time"):
        read(HEADER + f"1,a,-{'9' * (11 if time_format == 'seconds' else 14)}\n", time_format=time_format)


def test_times_out_of_range_are_bad_rows(read: Callable[..., Events]) -> None:
    text = "session_id,item_id,time\n1,a,2024-05-01\n1,b,9999-12-31\n1,c,0001-01-01T00:00:00Z\n"
    events = read(text, "clicks.csv", max_bad_share=0.9, stray_years=None)
    assert [item for _, item, _ in rows(events)] == ["c", "a"]


@pytest.mark.parametrize("time_format", ["auto", "seconds", "iso", "%d/%m/%Y"])
def test_a_file_whose_times_are_all_missing_is_all_bad_rows(
    read: Callable[..., Events], time_format: str
) -> None:
    with pytest.raises(UserError, match=r"none of which can be read \(2: bad rows: time cannot be read"):
        read(HEADER + "1,a,\n1,b,\n", time_format=time_format, max_bad_share=1)


@pytest.mark.parametrize("pattern", ["%Y-%Y", "%!", "%Y-%m-%d %"])
def test_a_pattern_that_is_none_is_refused(read: Callable[..., Events], pattern: str) -> None:
    with pytest.raises(UserError, match="is no strptime pattern"):
        read(HEADER + "1,a,2024-05-01\n", time_format=pattern)
