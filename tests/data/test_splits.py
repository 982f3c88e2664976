"""The other ways to choose the test part: a moment, windows, a log of its own, a share, the last event."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from split_logs import Split, part

from prnn_cli.data.events import read_events
from prnn_cli.data.parts import DAY_S
from prnn_cli.data.prepare import prepare
from prnn_cli.data.sessions import Sessions, sessions_of
from prnn_cli.data.split import split_sessions
from prnn_cli.errors import UserError
from prnn_cli.reporting.tables import dropped_table
from prnn_cli.schema import DatasetConfig, WindowConfig

HOUR_S = 3600


def clicks(session: str, items: str, *hours: float) -> list[str]:
    return [f"{session} {item} {hour * HOUR_S:.0f}" for item, hour in zip(items, hours, strict=True)]


# gru4rec2023: the last event is at hour 72, so with test_days=1 the test part begins at hour 48

MOMENT = [
    *clicks("early", "abc", 1, 2, 3),
    *clicks("long", "abca", 10, 47, 48, 60),
    *clicks("two", "ab", 47, 49),
    *clicks("test", "abc", 48, 60, 72),
]


def test_sessions_that_start_in_the_last_days_are_tested_and_the_others_end_there(split: Split) -> None:
    log = split(*MOMENT, split="gru4rec2023")
    assert part(log, "test") == {"test": "abc"}
    assert part(log, "train") == {"early": "abc", "long": "ab"}
    assert log.dropped == {
        "events of training sessions from the next part's beginning on": 3,
        "sessions of one event before the test part": 1,
    }


def test_by_last_event_the_same_log_has_a_session_of_the_past_in_its_test_part(split: Split) -> None:
    log = split(*MOMENT, days="24_hours")
    assert part(log, "test") == {"long": "abca", "two": "ab", "test": "abc"}


def test_the_moment_may_be_given(split: Split) -> None:
    log = split(*MOMENT, split="gru4rec2023", test_from="1970-01-02T23:00")  # hour 47
    assert part(log, "test") == {"two": "ab", "test": "abc"}
    assert part(log, "train") == {"early": "abc"}


def test_the_validation_part_is_cut_off_in_the_same_way(split: Split) -> None:
    rows = [*clicks("first", "abc", 1, 2, 25), *clicks("valid", "ab", 24, 47), *clicks("test", "ab", 48, 72)]
    log = split(*rows, split="gru4rec2023", validation_days=1)
    assert part(log, "train") == {"first": "ab"}
    assert part(log, "validation") == {"valid": "ab"}
    assert part(log, "test") == {"test": "ab"}


def moment_slowly(frame: pd.DataFrame, num_days: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and test events, by groups of a data frame."""
    start = frame["time"].max() - num_days * DAY_S
    first = frame.groupby("session")["time"].transform("min")
    train, test = frame[frame["time"] < start], frame[first >= start]
    train = train[train.groupby("session")["time"].transform("size") > 1]
    test = test[test["item"].isin(train["item"])]
    return train, test[test.groupby("session")["time"].transform("size") > 1]


TWO_DAYS = {"split": "gru4rec2023", "test_days": 2}


def random_rows(seed: int, num_days: int) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "session": draw.integers(60, size=400).astype(str),
            "item": draw.integers(30, size=400).astype(str),
            "time": draw.integers(num_days * DAY_S, size=400),
        }
    )
    frame["time"] = frame["time"] // 50 + frame["session"].astype(int) * num_days * DAY_S // 60
    return frame[frame.groupby("session")["time"].transform("size") > 1].sort_values("time", kind="stable")


@pytest.mark.parametrize("seed", range(3))
def test_the_moment_is_that_of_groups_of_a_data_frame(split: Split, seed: int) -> None:
    frame = random_rows(seed, num_days=6)
    log = split(*(f"{row.session} {row.item} {row.time}" for row in frame.itertuples()), **TWO_DAYS)
    for name, expected in zip(("train", "test"), moment_slowly(frame, 2), strict=True):
        sessions = sessions_of(log.events, name, len(log.items))
        ids = log.session_ids.take(sessions.session_index).to_pylist()
        lengths = dict(zip(ids, np.diff(sessions.offsets).tolist(), strict=True))
        assert lengths == expected.groupby("session").size().to_dict()


# window: days of 24 hours from the log's first event on

WEEK = [
    *clicks("d0", "ab", 0, 1),
    *clicks("d1", "ab", 24, 25),
    *clicks("d2", "ab", 48, 49),
    *clicks("d3", "ab", 72, 73),
    *clicks("d4", "ab", 96, 97),
]


@pytest.mark.parametrize(("number", "train", "test"), [(1, ["d1", "d2"], ["d3"]), (2, ["d2", "d3"], ["d4"])])
def test_windows_slide_over_the_log(split: Split, number: int, train: list[str], test: list[str]) -> None:
    window = WindowConfig(number=number, train_days=2, test_days=1, shift_days=1, offset_days=1)
    log = split(*WEEK, split="window", window=window)
    assert list(part(log, "train")) == train
    assert list(part(log, "test")) == test
    assert log.dropped == {"sessions outside the window": 4}


def test_the_hold_out_of_a_window_is_the_end_of_its_training(split: Split) -> None:
    window = WindowConfig(number=1, train_days=3, test_days=1, shift_days=1, offset_days=0)
    log = split(*WEEK, split="window", window=window, validation_days=1)
    assert {name: list(part(log, name)) for name in ("train", "validation", "test")} == {
        "train": ["d0", "d1"],
        "validation": ["d2"],
        "test": ["d3"],
    }


def test_a_window_beyond_the_log_is_named(split: Split) -> None:
    window = WindowConfig(number=9, train_days=2, test_days=1, shift_days=1, offset_days=1)
    with pytest.raises(
        UserError, match=r"window\.number=9.*choose a dataset\.window that lies within the log"
    ):
        split(*WEEK, split="window", window=window)


# given: a log of its own


@pytest.fixture
def given(dataset_config: Callable[..., DatasetConfig], tmp_path: Path) -> Callable[..., DatasetConfig]:
    """given(training rows, test rows, option=…)"""

    def config(train: list[str], test: list[str], **options: Any) -> DatasetConfig:
        for name, rows in (("train.csv", train), ("test.csv", test)):
            lines = [row.replace(" ", ",") for row in rows]
            (tmp_path / name).write_text("\n".join(["session_id,item_id,time", *lines]) + "\n")
        paths = {"path": str(tmp_path / "train.csv"), "test_path": str(tmp_path / "test.csv")}
        return dataset_config(**paths | {"split": "given", "min_item_support": 1} | options)

    return config


def test_the_test_part_may_be_a_log_of_its_own(given: Callable[..., DatasetConfig], tmp_path: Path) -> None:
    dataset = given(clicks("late", "abc", 90, 91, 92), clicks("early", "acx", 1, 2, 3))
    log = split_sessions(read_events(dataset), dataset)
    assert part(log, "train") == {"late": "abc"}
    assert part(log, "test") == {"early": "ac"}  # x is unknown in training
    data = prepare(dataset, tmp_path / "cache")
    assert data.summary["rows_of_files"] == [3, 3]
    assert dropped_table(data.summary)["events"].tolist() == [6, 1, 5]


def test_where_the_files_part_is_part_of_the_data(
    given: Callable[..., DatasetConfig], tmp_path: Path
) -> None:
    dataset = given(clicks("one", "ab", 1, 2), clicks("two", "ab", 3, 4))
    turned = replace(dataset, path=dataset.test_path, test_path=dataset.path)
    cache = tmp_path / "cache"
    assert prepare(dataset, cache).data_hash != prepare(turned, cache).data_hash


def test_a_session_of_both_logs_is_refused(given: Callable[..., DatasetConfig]) -> None:
    dataset = given(clicks("one", "ab", 1, 2), clicks("one", "ab", 3, 4))
    with pytest.raises(
        UserError, match=r"1 sessions, such as 'one', stand in .*train\.csv and in .*test\.csv"
    ):
        read_events(dataset)


def test_a_user_of_both_logs_has_sessions_of_its_own_in_each(given: Callable[..., DatasetConfig]) -> None:
    dataset = given(clicks("u", "abab", 1, 2, 30, 31), clicks("u", "ab", 50, 51), session_gap_s=7200)
    log = split_sessions(read_events(dataset), dataset)
    assert part(log, "train") == {"u#1": "ab", "u#2": "ab"}
    assert part(log, "test") == {"test#u#1": "ab"}


def test_a_given_split_needs_its_log(dataset_config: Callable[..., DatasetConfig]) -> None:
    with pytest.raises(UserError, match="split=given needs the log of the test part"):
        dataset_config(path="a.csv", split="given").check_values("dataset.")
    with pytest.raises(UserError, match=r"is the test part of dataset\.split=given alone"):
        dataset_config(path="a.csv", test_path="test.csv").check_values("dataset.")


# share


def test_a_session_s_lot_depends_on_its_id_alone(split: Split) -> None:
    rows = [row for s in range(200) for row in clicks(f"s{s}", "ab", s, s + 1)]
    log = split(*rows, split="share", test_share=0.25, validation_days=1)
    parts = {name: set(part(log, name)) for name in ("train", "validation", "test")}
    assert sum(map(len, parts.values())) == 200
    assert 30 < len(parts["test"]) < 70
    assert 30 < len(parts["validation"]) < 70
    half = split(*rows[:200], split="share", test_share=0.25)
    assert set(part(half, "test")) == {each for each in parts["test"] if int(each[1:]) < 100}


# leave_one_out

USERS = [
    *clicks("u1", "abc", 1, 2, 3),
    *clicks("u2", "bcab", 1, 2, 3, 4),
    *clicks("short", "ab", 1, 2),
    *clicks("new", "abx", 5, 6, 7),
]


def test_the_last_event_of_each_session_is_left_out(split: Split) -> None:
    log = split(*USERS, split="leave_one_out")
    assert part(log, "train") == {"u1": "ab", "u2": "bca", "new": "ab"}
    assert part(log, "test") == {"u1": "abc", "u2": "bcab"}
    assert log.dropped == {"sessions of fewer than three events": 2, "test: items unknown in training": 1}


def test_the_last_but_one_is_left_to_the_validation_part(split: Split) -> None:
    log = split(*USERS, split="leave_one_out", validation_days=1)
    assert part(log, "train") == {"u1": "a", "u2": "bc", "new": "a"}
    assert part(log, "validation") == {"u1": "ab", "u2": "bca", "new": "ab"}
    assert part(log, "test") == {"u1": "abc", "u2": "bcab"}


def test_only_the_last_event_is_ranked_and_each_row_is_counted_once(
    dataset_config: Callable[..., DatasetConfig], write_log: Callable[..., str], tmp_path: Path
) -> None:
    dataset = dataset_config(path=write_log(*USERS), min_item_support=1, split="leave_one_out")
    data = prepare(dataset, tmp_path)
    assert data.test.num_ranked == 2
    assert data.test.is_ranked.tolist() == [False, False, True, False, False, False, True]
    assert data.train.num_ranked == 1 + 2 + 1
    assert data.test.subset(np.array([1])).is_ranked.tolist() == [False, False, False, True]
    assert sum(shard.num_ranked for shard in data.test.shards(2)) == 2
    assert dropped_table(data.summary)["events"].tolist() == [12, 2, 1, 9]


def test_sessions_of_one_event_rank_nothing() -> None:
    sessions = Sessions(np.array([3, 1, 2]), np.array([0, 1, 3]), np.arange(2), 4)
    assert sessions.is_ranked.tolist() == [False, False, True]
    assert replace(sessions, ranks_last_only=True).num_ranked_each.tolist() == [0, 1]
