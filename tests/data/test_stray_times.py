"""Times that are none: a 0 among dates is a bad row, a log of years is left as it is."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data.conftest import HEADER, items
from prnn_cli.data.events import Events, read_events
from prnn_cli.data.stray_times import are_stray
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig

DAY, YEAR = 86_400, 365.25 * 86_400
MAY_2024 = 1_714_550_000
WEEK = [MAY_2024 + 3600.0 * n for n in range(168)]
DECADES = [-5 * YEAR + 0.1 * YEAR * n for n in range(500)]  # 1965 to 2015


def stray(*times: float, others: list[float] = WEEK) -> list[bool]:
    return are_stray(np.array([*times, *others]), 5)[: len(times)].tolist()


@pytest.mark.parametrize("time", [0, -1, 1, 1714550, -62_135_596_800, 2_147_483_647, 253_402_300_799])
def test_what_is_further_from_the_log_than_it_lasts_is_stray(time: float) -> None:
    assert stray(time) == [True]  # 1970 but for the last: 2038, 9999


def test_of_several_pieces_the_one_of_most_events_is_the_log() -> None:
    found = are_stray(np.array([0, 0, 0, *WEEK, 3e9]), 5)
    assert found.tolist() == [True] * 3 + [False] * len(WEEK) + [True]


def test_the_beginning_of_1970_is_stray_in_a_log_of_decades_too() -> None:
    since_1995 = [25 * YEAR + 0.1 * YEAR * n for n in range(280)]
    assert stray(0, -1, 13 * 3600, others=since_1995) == [True] * 3
    assert stray(3 * YEAR, others=since_1995) == [False]  # 22 years before a log of 28


@pytest.mark.parametrize(
    "times",
    [
        WEEK,
        [0.0, *DECADES],  # within the log, or at its beginning
        [0.0, 1, 2, 3],
        [MAY_2024 - 4.9 * YEAR, *WEEK],  # years before a busy week
        [20 * YEAR, *(21 * YEAR + 0.05 * YEAR * n for n in range(500))],  # a thin beginning
        [20 * YEAR + 0.5 * YEAR * n for n in range(20)] + [36 * YEAR + DAY * n for n in range(900)],
    ],
)
def test_honest_logs_are_left_as_they_are(times: list[float]) -> None:
    assert not are_stray(np.array(times), 5).any()


def test_rows_of_stray_times_are_counted_and_named(
    read: Callable[..., Events], caplog: pytest.LogCaptureFixture
) -> None:
    text = HEADER + "".join(f"s{n},i{n},{time:.0f}\n" for n, time in enumerate([*WEEK, 0]))
    events = read(text)
    assert items(events) == " ".join(f"i{n}" for n in range(168))
    assert events.dropped == {"bad rows: time far from all others": 1}
    assert events.rows_of_files == [169]
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warning.startswith(
        "1 of 169 rows have times (such as 1970-01-01 00:00:00) far from those of the others, 2024-05-01 07:53:20 to "
        "2024-05-08 06:53:20; they are left out as bad rows"
    )
    assert len(read(text, stray_years=None)) == 169


def test_too_many_of_them_are_refused(read: Callable[..., Events]) -> None:
    with pytest.raises(
        UserError, match=r"2 of 4 rows have times \(such as 1970-01-01 00:00:00\) far .*stray_years=null"
    ):
        read(HEADER + "1,a,1714550000\n1,b,1714550001\n2,a,0\n2,b,0\n")


def test_bad_rows_of_all_kinds_add_up_to_what_is_refused(read: Callable[..., Events]) -> None:
    rows = [f"s{n},i{n},{time:.0f}\n" for n, time in enumerate([*WEEK, 0])]
    with pytest.raises(UserError, match="1 of 170 rows have times"):
        read(HEADER + "".join([*rows, "s,i,noon\n"]))
    assert len(read(HEADER + "".join([*rows, "s,i,noon\n"]), max_bad_share=0.02)) == 168


@pytest.mark.parametrize("name", ["online_retail", "eshop_clothing"])
def test_no_row_of_the_real_logs_is_stray(
    name: str, request: pytest.FixtureRequest, dataset_config: Callable[..., DatasetConfig]
) -> None:
    folder: Path = request.getfixturevalue(name)
    events = read_events(dataset_config(name, path=str(folder), stray_years=0.1))
    assert not [reason for reason in events.dropped if "far from" in reason]
