"""Rows that the dataset's filters keep, and how the others are counted."""

from collections.abc import Callable
from typing import Any

import pytest

from data.conftest import HEADER, items
from prnn_cli.data.events import Events
from prnn_cli.errors import UserError

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


def test_numbers_may_have_an_upper_bound_and_a_lower_one_in_two_filters(read: Callable[..., Events]) -> None:
    filters = [{"column": "price", "above": 0}, {"column": "price", "below": 2.5}]
    events = read(FILTERED, filters=filters)
    assert items(events) == "d f"
    assert events.dropped == {"price not above 0": 2, "price not below 2.5": 2}


def test_a_number_that_is_none_is_a_bad_row_for_an_upper_bound(read: Callable[..., Events]) -> None:
    with pytest.raises(
        UserError, match=r"column 'text': 'x' is not a number, which the filter below=3 needs"
    ):
        read(FILTERED, filters=[{"column": "text", "below": 3}])


def test_a_row_counts_for_the_first_filter_that_drops_it(read: Callable[..., Events]) -> None:
    filters = [{"column": "item_id", "exclude": "[ab]"}, {"column": "session_id", "exclude": "C"}]
    assert read(FILTERED, filters=filters).dropped == {"item_id matches [ab]": 2, "session_id matches C": 1}


def test_an_empty_cell_matches_no_pattern_and_stays(read: Callable[..., Events]) -> None:
    assert items(read(FILTERED, filters=[{"column": "text", "exclude": "."}])) == "d"


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


REFUSED_FILTERS = [
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
]


@pytest.mark.parametrize(("content", "options", "message"), REFUSED_FILTERS)
def test_filters_that_cannot_be_applied_are_refused(
    read: Callable[..., Events], content: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        read(content, **options)
    assert "\n" not in str(caught.value)
