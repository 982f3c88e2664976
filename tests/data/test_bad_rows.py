"""Rows that cannot be read are left out and counted, or refused with their places."""

from collections.abc import Callable
from pathlib import Path

import pytest

from data.conftest import HEADER
from prnn_cli.data.events import Events, read_events
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig

Config = Callable[..., DatasetConfig]

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


def test_the_line_of_an_error_is_counted_in_its_own_file(dataset_config: Config, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + "1,a,1\n1,a,2\n")
    (tmp_path / "b.csv").write_text(HEADER + "1,a,1\n1,a,x\n")
    with pytest.raises(UserError, match=r"b\.csv, line 3, column 'time': 'x'"):
        read_events(dataset_config(path=str(tmp_path)))
