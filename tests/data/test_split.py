"""Which events are filtered, how the parts are cut, how sessions and items are numbered."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from slow_sessions import slow_split
from split_logs import Split, part

from prnn_cli.data.events import read_events
from prnn_cli.data.sessions import sessions_of
from prnn_cli.data.split import split_sessions
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig

DAY_S = 86_400
LATE_TEST = ["t1 a 900000", "t1 b 900001"]  # a test part for logs whose training part is of interest


def by_day(session: str, day: int, items: str) -> list[str]:
    return [f"{session} {item} {day * DAY_S + n}" for n, item in enumerate(items)]


# filters


def test_sessions_of_one_event_are_dropped(split: Split) -> None:
    log = split("1 a 1", "2 a 2", "2 b 3", *LATE_TEST)
    assert part(log, "train") == {"2": "ab"}
    assert log.dropped == {"sessions of one event": 1}


def test_sessions_may_be_as_long_as_the_limit_and_no_longer(split: Split) -> None:
    rows = [*by_day("1", 0, "abc"), *by_day("2", 0, "abcd"), *LATE_TEST]
    log = split(*rows, max_session_length=3)
    assert part(log, "train") == {"1": "abc"}
    assert log.dropped == {"sessions too long": 4}
    assert part(split(*rows, max_session_length=None), "train") == {"1": "abc", "2": "abcd"}


def test_items_need_their_support_in_the_whole_log(split: Split) -> None:
    log = split(*by_day("1", 0, "abx"), *LATE_TEST, min_item_support=2)
    assert part(log, "train") == {"1": "ab"}
    assert log.dropped == {"items too rare": 1}


# item x is rare only after session 2 has gone, which goes only after the rare y has
CHAIN = [*by_day("1", 0, "abx"), *by_day("2", 0, "xy"), *LATE_TEST]


def test_filters_repeat_until_nothing_changes(split: Split) -> None:
    log = split(*CHAIN, min_item_support=2)
    assert part(log, "train") == {"1": "ab"}
    assert log.dropped == {"items too rare": 2, "sessions of one event": 1}


def test_filters_may_run_once_as_in_the_first_scripts(split: Split) -> None:
    log = split(*CHAIN, min_item_support=2, repeat_until_stable=False)
    assert part(log, "train") == {"1": "abx"}
    assert log.dropped == {"items too rare": 1, "sessions of one event": 1}


def test_repeats_count_unless_they_are_to_be_dropped(split: Split) -> None:
    rows = ["1 a 1", "2 b 2", "1 a 3", "2 b 4", "1 b 5", "1 a 6", *LATE_TEST]
    assert part(split(*rows), "train") == {"1": "aaba", "2": "bb"}
    log = split(*rows, drop_repeats=True)
    assert part(log, "train") == {"1": "aba"}
    assert log.dropped == {"consecutive repeats": 2, "sessions of one event": 1}


def test_repeats_go_before_the_length_is_judged(split: Split) -> None:
    log = split(*by_day("1", 0, "aaaab"), *LATE_TEST, drop_repeats=True, max_session_length=2)
    assert part(log, "train") == {"1": "ab"}


# the split


def test_the_test_part_is_the_last_day_by_the_last_event_of_each_session(split: Split) -> None:
    midnight = 5 * DAY_S
    log = split(
        f"before a {midnight - 9}",
        f"before b {midnight - 0.001}",
        f"across a {midnight - 9}",
        f"across b {midnight}",
        f"within a {midnight + 1}",
        f"within b {midnight + DAY_S - 1}",
    )
    assert part(log, "train") == {"before": "ab"}
    assert part(log, "test") == {"across": "ab", "within": "ab"}


def test_the_last_day_is_that_of_the_latest_event_that_is_left(split: Split) -> None:
    log = split(*by_day("1", 0, "ab"), *by_day("2", 3, "ab"), *by_day("single", 9, "a"))
    assert list(part(log, "test")) == ["2"]


@pytest.mark.parametrize(
    ("days", "tested"), [(1, ["d9"]), (2, ["d9"]), (3, ["d7", "d9"]), (5, ["d5", "d7", "d9"])]
)
def test_test_days_are_calendar_days_with_or_without_events(
    split: Split, days: int, tested: list[str]
) -> None:
    rows = [row for day in (3, 5, 7, 9) for row in by_day(f"d{day}", day, "ab")]
    assert list(part(split(*rows, test_days=days), "test")) == tested


@pytest.mark.parametrize("start", ["1970-01-08", "1970-01-08T00:00:00", "1970-01-08T02:00:00+02:00"])
def test_the_test_part_may_begin_on_a_date(split: Split, start: str) -> None:
    rows = [row for day in (3, 5, 7, 9) for row in by_day(f"d{day}", day, "ab")]
    assert list(part(split(*rows, test_from=start), "test")) == ["d7", "d9"]


MIDNIGHT = 5 * DAY_S
ACROSS = [
    *by_day("early", 2, "ab"),
    f"across a {MIDNIGHT - 9}",
    f"across b {MIDNIGHT + 9}",
    f"late a {MIDNIGHT + 20}",
    f"late b {MIDNIGHT + 21}",
]


def test_a_session_over_midnight_belongs_to_the_part_of_its_last_or_of_its_first_event(split: Split) -> None:
    assert list(part(split(*ACROSS), "test")) == ["across", "late"]
    assert list(part(split(*ACROSS, test_by="first_event"), "test")) == ["late"]
    assert list(part(split(*ACROSS, test_by="first_event"), "train")) == ["early", "across"]


def test_days_by_the_first_event_are_those_on_which_a_session_begins(split: Split) -> None:
    rows = [*by_day("1", 0, "ab"), *by_day("2", 2, "ab"), f"3 a {MIDNIGHT - 9}", f"3 b {MIDNIGHT + 9}"]
    log = split(*rows, test_by="first_event", validation_days=1)
    assert [list(part(log, name)) for name in ("train", "validation", "test")] == [["1"], ["2"], ["3"]]


def test_days_may_be_24_hours_back_from_the_last_event(split: Split) -> None:
    noon = 9.5 * DAY_S
    rows = ["1 a 1", "1 b 2", f"2 a {noon - DAY_S - 1}", f"2 b {noon - DAY_S - 0.5}"]
    rows += [f"3 a {noon - DAY_S - 1}", f"3 b {noon - DAY_S}", f"4 a {noon - 1}", f"4 b {noon}"]
    assert list(part(split(*rows, days="24_hours"), "test")) == ["3", "4"]
    assert list(part(split(*rows), "test")) == ["4"]


@pytest.mark.parametrize(
    ("start", "tested"),
    [
        ("1970-01-08T00:00:01", ["d7", "d9"]),
        ("1970-01-08T00:00:02", ["d9"]),
        ("1970-01-08 02:00:02+02:00", ["d9"]),
    ],
)
def test_the_test_part_may_begin_at_a_time_of_day(split: Split, start: str, tested: list[str]) -> None:
    rows = [row for day in (3, 7, 9) for row in by_day(f"d{day}", day, "ab")]
    assert list(part(split(*rows, test_from=start), "test")) == tested


def test_an_end_of_the_log_leaves_out_the_sessions_that_reach_it(split: Split) -> None:
    rows = [*by_day("1", 0, "ab"), *by_day("2", 3, "ab"), f"3 a {MIDNIGHT - 9}", f"3 b {MIDNIGHT}"]
    log = split(*rows, test_until="1970-01-06")
    assert list(part(log, "test")) == ["2"]
    assert log.dropped == {"sessions that reach dataset.test_until": 2}
    assert list(part(split(*rows, test_until="1970-01-06", test_by="first_event"), "test")) == ["3"]
    assert list(part(split(*rows, test_until="1970-01-06T00:00:01"), "test")) == ["3"]


def test_what_lies_after_the_end_gives_items_no_support(split: Split) -> None:
    rows = [*by_day("1", 0, "abx"), *by_day("2", 3, "ab"), *by_day("3", 9, "xx")]
    log = split(*rows, test_until="1970-01-09", min_item_support=2)
    assert list(log.items["item_id"]) == ["a", "b"]


def test_test_events_of_items_unknown_in_training_are_dropped(split: Split) -> None:
    log = split(*by_day("1", 0, "ab"), *by_day("2", 9, "axb"), *by_day("3", 9, "bxy"))
    assert part(log, "test") == {"2": "ab"}
    assert list(log.items["item_id"]) == ["a", "b"]
    assert log.dropped == {"test: items unknown in training": 3, "test: sessions of one event": 1}


VALIDATED = [
    *by_day("1", 0, "ab"),
    *by_day("2", 4, "ab"),
    *by_day("3", 5, "avb"),
    *by_day("4", 5, "vva"),
    *by_day("5", 9, "avb"),
]


def test_validation_is_the_last_days_of_the_training_part(split: Split) -> None:
    log = split(*VALIDATED, validation_days=1)
    assert part(log, "train") == {"1": "ab", "2": "ab"}
    assert part(log, "validation") == {"3": "ab"}
    assert log.dropped == {"validation: items unknown in training": 3, "validation: sessions of one event": 1}
    assert list(part(split(*VALIDATED, validation_days=2), "train")) == ["1"]


def test_validation_changes_neither_the_items_nor_the_test_part(split: Split) -> None:
    plain, validated = split(*VALIDATED), split(*VALIDATED, validation_days=1)
    assert list(plain.items["item_id"]) == list(validated.items["item_id"]) == ["a", "b", "v"]
    assert part(plain, "test") == part(validated, "test") == {"5": "avb"}


def test_support_counts_the_events_of_the_part_train(split: Split) -> None:
    assert list(split(*VALIDATED).items["support"]) == [4, 3, 3]
    assert list(split(*VALIDATED, validation_days=1).items["support"]) == [2, 2, 0]


def test_spreadsheet_days_read_as_seconds_are_explained(split: Split) -> None:
    rows = [f"{day} {item} {45_400 + day + 0.25}" for day in range(3) for item in "ab"]
    with pytest.raises(
        UserError, match=r"part train .*such as 45400\.25, .*set dataset\.time_format=excel_days"
    ) as error:
        split(*rows)
    assert "lower" not in str(error.value)
    assert list(part(split(*rows, time_format="excel_days"), "test")) == ["2"]


# order and numbers


def test_items_are_numbered_in_the_order_of_their_ids(split: Split) -> None:
    log = split("1 b 1", "1 a 2", "1 10 3", "1 9 4", *LATE_TEST)
    assert list(log.items["item_id"]) == ["10", "9", "a", "b"]
    assert list(log.items["item_index"]) == [0, 1, 2, 3]
    assert list(sessions_of(log.events, "train", 4).items) == [3, 2, 0, 1]


def test_sessions_are_numbered_by_their_first_events_through_all_parts(split: Split) -> None:
    rows = ["2 a 5", "1 a 6", "1 b 7", f"2 b {DAY_S}", f"3 a {DAY_S + 5}", f"3 b {DAY_S + 6}"]
    log = split(*rows)
    assert list(sessions_of(log.events, "train", 2).session_index) == [1]
    assert list(sessions_of(log.events, "test", 2).session_index) == [0, 2]


def test_the_first_event_is_the_first_that_is_left(split: Split) -> None:
    log = split("1 rare 1", "2 a 2", "2 b 3", "1 a 4", "1 b 5", *LATE_TEST, min_item_support=2)
    assert list(part(log, "train")) == ["2", "1"]


def test_sessions_that_start_together_keep_the_order_of_the_log(split: Split) -> None:
    rows = [f"{session} {item} 7" for session in ("9", "1", "5") for item in "ba"]
    assert part(split(*rows, *LATE_TEST), "train") == {"9": "ba", "1": "ba", "5": "ba"}


@pytest.mark.parametrize("count", [127, 128, 129, 32768])
def test_any_number_of_sessions_and_items_is_indexed(split: Split, count: int) -> None:
    rows = [f"{n} {item} {n}" for n in range(count - 1) for item in (n, n + 1)]
    log = split(*rows, f"test 0 {9 * DAY_S}", f"test 1 {9 * DAY_S}")
    assert len(log.items) == log.events["session_index"].nunique() == count
    assert list(log.items["support"].value_counts().sort_index().items()) == [(1, 2), (2, count - 2)]


def test_sessions_have_the_dtypes_that_batching_relies_on(split: Split) -> None:
    sessions = sessions_of(split(*VALIDATED).events, "train", 3)
    assert (sessions.items.dtype, sessions.offsets.dtype) == (np.int32, np.int64)
    assert sessions.session_index.dtype == np.int64
    assert list(sessions.offsets) == [0, 2, 4, 7, 10]


@pytest.mark.parametrize("seed", range(30))
def test_random_logs_come_out_as_from_the_slow_preprocessing(
    seed: int, dataset_config: Callable[..., DatasetConfig], write_log: Callable[..., str]
) -> None:
    rng = random.Random(seed)
    rows = []
    for session in rng.sample(range(1000), 120):
        time = rng.randrange(10 * DAY_S)
        for _ in range(rng.choice([1, 1, 2, 2, 3, 5, 12])):
            rows.append((str(session), str(int(rng.paretovariate(0.7))), float(time)))
            time += rng.choice([0, 1, DAY_S // 4])
    rng.shuffle(rows)
    dataset = dataset_config(
        path=write_log(*(f"{session} {item} {time}" for session, item, time in rows)),
        max_session_length=rng.choice([None, 8]),
        min_item_support=rng.choice([1, 3, 5]),
        repeat_until_stable=rng.choice([True, False]),
        test_days=rng.choice([1, 3]),
        days=rng.choice(["calendar", "24_hours"]),
        test_by=rng.choice(["last_event", "first_event"]),
        test_until=rng.choice([None, "1970-01-09", "1970-01-09T06:30"]),
        validation_days=rng.choice([0, 2]),
    )
    fast, slow = split_sessions(read_events(dataset), dataset), slow_split(rows, dataset)
    assert list(fast.items["item_id"]) == slow.item_ids
    for name, sessions in slow.parts.items():
        events = fast.events[fast.events["part"] == name]
        item_ids = fast.items["item_id"].to_numpy()[events["item_index"]]
        groups = events.assign(item=item_ids).groupby("session_index")
        assert [(fast.session_ids[s].as_py(), list(g["item"])) for s, g in groups] == sessions
    assert sum(fast.dropped.values()) == slow.num_dropped
    assert len(rows) == len(fast.events) + slow.num_dropped


# what is refused


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (
            by_day("1", 0, "abc"),
            {"min_item_support": 5},
            r"no events are left of the 3 .*\(3\) .*'items too rare'; lower dataset\.min_item_support",
        ),
        (
            by_day("1", 0, "abc"),
            {"max_session_length": 2},
            r"'sessions too long'; raise dataset\.max_session_length, or set it to null",
        ),
        (["1 a 1", "2 a 2"], {}, r"'sessions of one event'; check that dataset\.columns\.session_id"),
        (
            by_day("1", 0, "aaaa"),
            {"drop_repeats": True},
            r"\(3\) .*'consecutive repeats'; set dataset\.drop_repeats=false",
        ),
        (
            by_day("1", 0, "ab"),
            {},
            r"part train .*from 1970-01-01 00:00:00 to 1970-01-01 00:00:01.*all of it lies in the test part: .*"
            r"test_from=2011-02-22T18:00",
        ),
        (VALIDATED, {"test_days": 99}, r"part train .*test_days=99.*lower dataset\.test_days"),
        (VALIDATED, {"validation_days": 99}, r"part train .*lower .*dataset\.validation_days"),
        (VALIDATED, {"test_from": "1970-02-01"}, r"part test .*set an earlier dataset\.test_from"),
        (
            [*by_day("1", 0, "ab"), *by_day("2", 9, "xy")],
            {},
            r"part test .*raise dataset\.test_days, or set an earlier",
        ),
        (
            [*by_day("1", 0, "ab"), *by_day("2", 3, "vw"), *by_day("3", 9, "ab")],
            {"validation_days": 1},
            r"part validation .*raise dataset\.validation_days",
        ),
        (VALIDATED, {"test_from": "22.2.2011"}, r"test_from=22\.2\.2011 is no date; write it as 2011-02-22"),
        (
            VALIDATED,
            {"test_until": "noon"},
            r"test_until=noon is no date; .* time of day \(UTC\) as 2011-02-22T18:00",
        ),
        (
            VALIDATED,
            {"test_until": "1970-01-01"},
            r"every session .* reaches dataset\.test_until=1970-01-01; .*a later end",
        ),
    ],
)
def test_logs_of_which_nothing_is_left_are_refused(
    split: Split, rows: list[str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        split(*rows, **options)
    assert "\n" not in str(caught.value)


# items that training has not seen


def test_new_items_of_the_test_part_may_be_kept(split: Split) -> None:
    rows = [*by_day("1", 0, "ab"), *by_day("2", 1, "bca"), *by_day("3", 1, "cc")]
    assert part(split(*rows), "test") == {"2": "ba"}
    kept = split(*rows, keep_new_items=True)
    assert part(kept, "test") == {"2": "bca", "3": "cc"}
    assert kept.items["item_id"].tolist() == ["a", "b", "c"]
    assert kept.items["support"].tolist() == [1, 1, 0]


def test_held_out_items_are_in_the_test_part_alone(split: Split) -> None:
    letters = "abcdefghijklmnopqrst"
    rows = [*by_day("1", 0, letters), *by_day("2", 0, letters[::-1]), *by_day("3", 1, letters)]
    log = split(*rows, cold_items=0.3)
    cold = {
        item for item, support in zip(log.items["item_id"], log.items["support"], strict=True) if not support
    }
    assert 0 < len(cold) < 20
    assert part(log, "train") == {
        "1": "".join(item for item in letters if item not in cold),
        "2": "".join(item for item in letters[::-1] if item not in cold),
    }
    assert part(log, "test") == {"3": letters}
    assert log.dropped == {"before the test part: held-out items": 2 * len(cold)}
    others = split(*by_day("0", 0, "az"), *rows, cold_items=0.3)
    again = set(others.items["item_id"][others.items["support"] == 0])
    assert again - {"z"} == cold, "an item's lot depends on its id alone"


def test_sessions_that_held_out_items_leave_alone_are_dropped(split: Split) -> None:
    letters = "abcdefghijklmnopqrst"
    whole = split(*by_day("1", 0, letters), *by_day("3", 1, letters), cold_items=0.3)
    is_cold = (whole.items["support"] == 0).to_numpy()
    cold, warm = whole.items["item_id"][is_cold].iloc[0], whole.items["item_id"][~is_cold].iloc[0]
    log = split(
        *by_day("1", 0, letters), *by_day("2", 0, cold + warm), *by_day("3", 1, letters), cold_items=0.3
    )
    assert list(part(log, "train")) == ["1"]
    assert log.dropped["before the test part: sessions of one event without them"] == 1
