"""The validation part is cut off training by the split's own rule; validation_days=auto makes it like the test part."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from split_logs import Split, part

from prnn_cli.data.prepare import prepare
from prnn_cli.data.splits.rules import SPLITS, with_hold_out_days
from prnn_cli.errors import UserError
from prnn_cli.schema import AUTO, DatasetConfig, WindowConfig

HOUR_S = 3600
# Sessions h0, h6, h12 … of two clicks, a second apart, one each six hours of twelve days from 1970 on.
SIX_HOURLY = [
    f"h{hour} {item} {hour * HOUR_S + n}" for hour in range(0, 288, 6) for n, item in enumerate("ab")
]


def hours(log: Any, name: str) -> list[int]:
    """The hours at which the sessions of a part begin."""
    return [int(session[1:]) for session in part(log, name)]


def test_a_test_part_from_a_date_on_has_a_hold_out_as_long(split: Split) -> None:
    """The test part begins at hour 264 and lasts a day."""
    log = split(*SIX_HOURLY, test_from="1970-01-12", validation_days=AUTO)
    assert hours(log, "test") == [264, 270, 276, 282]
    assert hours(log, "validation") == [240, 246, 252, 258]


@pytest.mark.parametrize(("rule", "first"), [("days", 108), ("gru4rec2023", 114)])
def test_but_no_longer_than_a_quarter_of_what_comes_before(split: Split, rule: str, first: int) -> None:
    """The test part takes the last six days of twelve, and the hold-out may not take all that is left: sessions begin
    from hour 0 to hour 138, so 34.5 hours before their last one, or before the test part, count."""
    log = split(*SIX_HOURLY, split=rule, test_from="1970-01-07", validation_days=AUTO)
    assert hours(log, "test") == list(range(144, 288, 6))
    assert hours(log, "validation") == list(range(first, 144, 6))


def test_a_window_s_hold_out_is_counted_from_its_test_part_in_days_of_24_hours(split: Split) -> None:
    """The log begins at hour 12, so that the window's test part begins at hour 108, within a day."""
    window = WindowConfig(number=1, train_days=4, test_days=2, shift_days=1, offset_days=0)
    log = split(*SIX_HOURLY[4:], split="window", window=window, validation_days=1)
    assert hours(log, "test") == [*range(108, 156, 6)]
    assert hours(log, "validation") == [84, 90, 96, 102]
    assert hours(log, "train") == list(range(12, 84, 6))


def test_a_given_test_part_has_a_hold_out_as_long(
    dataset_config: Callable[..., DatasetConfig], write_log: Callable[..., str], tmp_path: Path
) -> None:
    """Test sessions of hours 240 to 264, a day, after ten days."""
    dataset = dataset_config(
        path=write_log(*SIX_HOURLY[:80], name="train.csv"),
        test_path=write_log(*SIX_HOURLY[80:90], name="test.csv"),
        split="given",
        validation_days=AUTO,
    )
    data = prepare(dataset, tmp_path / "cache")
    assert data.summary["test"]["sessions"] == 5
    assert data.summary["validation"]["sessions"] == 5


@pytest.mark.parametrize(
    ("options", "days"),
    [
        ({"test_days": 3}, 3),
        ({"test_from": "1970-01-02"}, AUTO),
        ({"split": "gru4rec2023", "test_days": 7}, 7),
        ({"split": "gru4rec2023", "test_from": "1970-01-02"}, AUTO),
        ({"split": "window", "window": {"test_days": 2}}, 2),
        ({"split": "window", "window": {"test_days": 0.5}}, 0.5),
        ({"split": "given"}, AUTO),
        ({"split": "given", "columns": {"time": None}}, 1),
        ({"split": "share"}, 1),
        ({"split": "leave_one_out"}, 1),
    ],
)
def test_auto_is_as_long_as_the_test_part(
    dataset_config: Callable[..., DatasetConfig], options: dict[str, Any], days: float | str
) -> None:
    dataset = with_hold_out_days(dataset_config(path="a.csv", validation_days=AUTO, **options))
    assert dataset.validation_days == days
    assert type(dataset.validation_days) is type(days), "the same data have the same hash"


def test_auto_makes_the_data_that_its_number_makes(
    dataset_config: Callable[..., DatasetConfig], write_log: Callable[..., str], tmp_path: Path
) -> None:
    path = write_log(*SIX_HOURLY)
    by_number, by_auto = (
        prepare(dataset_config(path=path, test_days=2, validation_days=days), tmp_path / "cache")
        for days in (2, AUTO)
    )
    assert by_number.data_hash == by_auto.data_hash
    assert by_auto.reused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"validation_days": -1}, "validation_days=-1 cannot be used; give a number of days from 0"),
        ({"validation_days": True}, "validation_days=True cannot be used"),
        ({"validation_days": None}, "validation_days=null cannot be used"),
        ({"validation_days": "week"}, "validation_days=week cannot be used; .* or auto"),
        (
            {"validation_days": 0.5},
            r"no whole number of calendar days; give one, or set dataset\.days=24_hours",
        ),
        ({"validation_days": 7, "split": "share"}, "split=share does not go here: .*; give 1, or 0 for none"),
        ({"validation_days": 2, "split": "leave_one_out"}, "split=leave_one_out does not go here"),
    ],
)
def test_what_is_no_length_of_a_hold_out_is_refused(
    dataset_config: Callable[..., DatasetConfig], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        dataset_config(path="a.csv", **options).check_values("dataset.")


def test_half_days_may_be_held_out_where_days_are_24_hours(split: Split) -> None:
    log = split(*SIX_HOURLY, days="24_hours", validation_days=0.5)
    assert hours(log, "validation") == [240, 246, 252]
    assert hours(log, "test") == [258, 264, 270, 276, 282]


def test_a_share_like_a_large_test_part_leaves_most_to_train_on(split: Split) -> None:
    rows = [f"s{s} {item} {s}" for s in range(400) for item in "ab"]
    log = split(*rows, split="share", test_share=0.5, validation_days=AUTO)
    assert 170 < len(part(log, "test")) < 230
    assert 30 < len(part(log, "validation")) < 70


@pytest.mark.parametrize("split", ["window", "given", "days", "gru4rec2023"])
def test_where_a_hold_out_takes_all_of_training_it_is_named(
    dataset_config: Callable[..., DatasetConfig], split: str
) -> None:
    dataset = dataset_config(path="a.csv", split=split, validation_days=3)
    assert "lower dataset.validation_days" in SPLITS[split].advice("train", dataset)


@pytest.mark.parametrize("name", SPLITS)
@pytest.mark.parametrize("of", ["train", "validation", "test"])
def test_each_split_knows_what_would_bring_more(
    dataset_config: Callable[..., DatasetConfig], name: str, of: str
) -> None:
    """And names no option that it does not read."""
    dataset = dataset_config(path="a.csv", split=name)
    rule, told = SPLITS[name], SPLITS[name].advice(of, dataset)
    read = {*rule.options, *rule.of_hold_out, "validation_days", "path"}
    assert told
    assert set(re.findall(r"dataset\.(\w+)", told)) <= read


def test_a_log_without_times_has_no_end_to_be_set(dataset_config: Callable[..., DatasetConfig]) -> None:
    dataset = dataset_config(path="a.csv", columns={"time": None}, split="share", test_until="2011-02-22")
    with pytest.raises(UserError, match=r"test_until=2011-02-22 needs times, and .*time=null"):
        dataset.check_values("dataset.")
