"""Test parts of almost nothing are refused, and small ones are warned of, with the days that the log has."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from prnn_cli.data.part_sizes import check_enough_to_rank
from prnn_cli.data.prepare import prepare
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig

DAY_S = 86_400
Check = Callable[..., None]


@pytest.fixture
def check_days(
    dataset_config: Callable[..., DatasetConfig], write_log: Callable[..., str], tmp_path: Path
) -> Check:
    """check_days({day: sessions}, option=…): a log with so many sessions of three events on each day of 1970."""

    def check(sessions: dict[int, int], part: str = "test", **options: object) -> None:
        rows = [
            f"{day}-{n} {item} {day * DAY_S + n}"
            for day, count in sessions.items()
            for n in range(count)
            for item in "abc"
        ]
        dataset = dataset_config(path=write_log(*rows), **options)
        check_enough_to_rank(prepare(dataset, tmp_path / "cache").summary, dataset, part)

    return check


def test_a_thin_last_day_is_refused_with_the_last_days_and_what_to_set(check_days: Check) -> None:
    with pytest.raises(UserError) as caught:
        check_days({0: 300, 1: 310, 2: 320, 4: 4})
    assert str(caught.value) == (
        "the test part holds 4 sessions with 8 events to rank, fewer than dataset.min_ranked_events=20: metrics "
        "over so few say nothing; sessions of the last days (UTC): 1970-01-01 300, 1970-01-02 310, 1970-01-03 320, "
        "1970-01-05 4; set dataset.test_days=3, or leave the thin end out with dataset.test_until=1970-01-04, "
        "or allow it with dataset.min_ranked_events=8"
    )


@pytest.mark.parametrize(
    "options", [{"test_days": 3}, {"test_until": "1970-01-04"}, {"test_from": "1970-01-02T00:03"}]
)
def test_what_the_sentence_proposes_is_neither_refused_nor_warned_of(
    options: dict[str, object], check_days: Check, caplog: pytest.LogCaptureFixture
) -> None:
    check_days({0: 300, 1: 310, 2: 320, 4: 4}, **options)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_what_is_allowed_is_still_warned_of_each_time(
    check_days: Check, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):  # the second time the prepared log is read from the cache
        caplog.clear()
        check_days({0: 400, 1: 310, 4: 4}, min_ranked_events=8)
        (warning,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
        assert warning.startswith(
            "the test part holds 4 sessions with 8 events to rank: differences of a tenth"
        )
        assert "1970-01-02 310, 1970-01-05 4; set dataset.test_days=4" in warning


def test_500_events_are_enough(check_days: Check, caplog: pytest.LogCaptureFixture) -> None:
    check_days({0: 9, 1: 249})
    assert "the test part holds 249 sessions with 498 events to rank" in caplog.text
    caplog.clear()
    check_days({0: 9, 1: 250})
    assert "the test part" not in caplog.text


def test_where_other_days_would_not_help_no_days_are_proposed(check_days: Check) -> None:
    with pytest.raises(UserError, match="give a log of more days, or allow it"):
        check_days({0: 300, 1: 4})
    with pytest.raises(UserError, match=r"1970-01-02 4; set an earlier dataset\.test_from, or allow"):
        check_days({0: 300, 1: 4}, test_from="1970-01-02")


def test_as_many_days_are_proposed_as_500_events_take(check_days: Check) -> None:
    """Ten thin days of 50 ranked events each, at the end of a long log."""
    with pytest.raises(UserError, match=r"; set dataset\.test_days=10, or allow it"):
        check_days({0: 300, **dict.fromkeys(range(1, 11), 25)}, min_ranked_events=100)


def test_where_half_of_the_log_holds_fewer_it_is_said(check_days: Check) -> None:
    with pytest.raises(
        UserError, match=r"set dataset\.test_days=2, half of the log, which holds 12, or give a log"
    ):
        check_days({0: 3, 1: 3, 2: 3, 3: 3})


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        (
            {"split": "share", "test_share": 0.02},
            r"raise dataset\.test_share=0\.02, or give a log of more sessions",
        ),
        (
            {"split": "leave_one_out", "min_ranked_events": 999},
            "give a log of more sessions, or users, of three",
        ),
        (
            {"split": "window", "window": {"train_days": 2, "test_days": 0.0001}},
            r"raise dataset\.window\.test_days",
        ),
    ],
)
def test_the_advice_is_that_of_the_split(check_days: Check, options: dict[str, object], advice: str) -> None:
    with pytest.raises(UserError, match=advice):
        check_days({0: 60, 1: 60, 2: 60, 3: 60}, **options)


def test_a_thin_validation_part_is_refused_too(check_days: Check) -> None:
    with pytest.raises(
        UserError, match=r"the validation part holds 2 sessions .*raise dataset\.validation_days"
    ):
        check_days({0: 300, 1: 2, 2: 300}, part="validation", validation_days=1)


def test_days_are_those_of_the_events_that_decide(check_days: Check) -> None:
    with pytest.raises(UserError, match=r"1970-01-01 300, 1970-01-02 4; give a log"):
        check_days({0: 300, 1: 4}, test_by="first_event")
