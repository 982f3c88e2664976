"""Lists of items become events one by one."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from data.conftest import items, rows
from prnn_cli.data.events import Events
from prnn_cli.errors import UserError


def test_of_lists_without_times_of_their_own_all_items_have_the_sessions_time(
    read: Callable[..., Events],
) -> None:
    text = 'session_id,item_id,time\n1,"b a b",2024-05-01 09:30\n2,c,2024-05-01 09:29\n'
    events = read(text, "clicks.csv", list_separator=" ")
    assert [(session, item) for session, item, _ in rows(events)] == [
        ("2", "c"),
        ("1", "b"),
        ("1", "a"),
        ("1", "b"),
    ]


def test_an_empty_list_and_one_with_other_times_are_bad_rows(read: Callable[..., Events]) -> None:
    lists = ["[]", '["a", "b"]', '["a", "b"]', "null"]
    times = ["[]", "[1, 2]", "[1]", "[3]"]
    lines = [
        f'{{"session_id": {n}, "item_id": {i}, "time": {t}}}\n'
        for n, (i, t) in enumerate(zip(lists, times, strict=True))
    ]
    events = read("".join(lines), "clicks.jsonl", max_bad_share=1)
    assert rows(events) == [("1", "a", 1), ("1", "b", 2)]
    assert sum(events.rows_of_files) == 6 == len(events) + sum(events.dropped.values())


@pytest.mark.parametrize(
    "cell", ["['B1' 'B2' 'B3'\n 'B4']", '[""B1"",   ""B2"",\r\n ""B3"", ""B4""]', "( B1  B2\tB3 B4 )"]
)
def test_lists_may_be_printed_over_several_lines(read: Callable[..., Events], cell: str) -> None:
    """As numpy and Python print them."""
    separator = "," if "," in cell else " "
    events = read(f'session_id,item_id,time\n1,"{cell}",5\n', list_separator=separator)
    assert items(events) == "B1 B2 B3 B4"


def test_dots_in_the_place_of_items_are_no_item(read: Callable[..., Events]) -> None:
    events = read("session_id,item_id,time\n1,[1 2 ... 8 9],5\n", list_separator=" ", max_bad_share=0.5)
    assert items(events) == "1 2 8 9"
    assert events.dropped == {"bad rows: item_id is empty": 1}


def test_times_of_single_items_stay_whole_where_most_sessions_have_one_item(
    read: Callable[..., Events],
) -> None:
    text = "session_id,item_id,time\n1,a,5\n2,b,6\n3,c d,7\n"
    assert rows(read(text, list_separator=" ")) == [
        ("1", "a", 5),
        ("2", "b", 6),
        ("3", "c", 7),
        ("3", "d", 7),
    ]


@pytest.mark.parametrize("file", ["clicks.csv", "clicks.jsonl", "clicks.parquet"])
def test_the_next_item_comes_after_those_of_the_list(read: Callable[..., Events], file: str) -> None:
    """As Amazon-M2 has it: prev_items and next_item."""
    sessions = [(["a", "b"], [1, 2], "c"), (["a"], [3], None), ([], [], "d"), (["b"], [5], "a")]
    frame = pd.DataFrame(sessions, columns=["prev", "time", "next"]).assign(session_id=range(4))

    def write(path: Path) -> None:
        if path.suffix == ".parquet":
            frame.to_parquet(path)
        elif path.suffix == ".jsonl":
            frame.to_json(path, orient="records", lines=True)
        else:
            frame.assign(**{name: frame[name].astype(str) for name in ("prev", "time")}).to_csv(
                path, index=False
            )

    columns = {"item_id": "prev", "next_item_id": "next"}
    events = read(
        write, file, columns=columns, list_separator="," if file == "clicks.csv" else None, max_bad_share=0.5
    )
    assert rows(events) == [
        ("0", "a", 1),
        ("0", "b", 2),
        ("0", "c", 2),  # no time of its own
        ("1", "a", 3),
        ("3", "b", 5),
        ("3", "a", 5),
    ]
    assert sum(events.dropped.values()) == 1  # d has no time at all


def test_a_next_item_needs_lists(read: Callable[..., Events]) -> None:
    with pytest.raises(
        UserError, match=r"next_item_id=n comes after the items of a list, but .* single items"
    ):
        read("session_id,item_id,time,n\n1,a,5,b\n", columns={"next_item_id": "n"})


@pytest.mark.parametrize("file", ["clicks.tsv", "clicks.jsonl"])
def test_the_item_may_be_a_part_of_an_element(read: Callable[..., Events], file: str) -> None:
    """As in MIND, whose impressions say of each news whether it was clicked."""
    impressions = ["N1-0 N2-1 N3-1", "N4-0", "N2-1"]
    if file == "clicks.tsv":
        lines = [f"{n}\t{cell}\t{n}\n" for n, cell in enumerate(impressions)]
        content, separator = "session_id\titem_id\ttime\n" + "".join(lines), " "
    else:
        lists = [json.dumps(cell.split()) for cell in impressions]
        lines = [f'{{"session_id": {n}, "item_id": {each}, "time": {n}}}\n' for n, each in enumerate(lists)]
        content, separator = "".join(lines), None
    events = read(content, file, list_separator=separator, list_item="^(.+)-1$")
    assert rows(events) == [("0", "N2", 0), ("0", "N3", 0), ("2", "N2", 2)]
    assert events.dropped == {"item_id does not match ^(.+)-1$": 2}
    assert sum(events.rows_of_files) == 5


def test_an_empty_list_is_a_bad_row_also_where_items_are_parts_of_elements(
    read: Callable[..., Events],
) -> None:
    text = "session_id,item_id,time\n1,7-1 8-1,5\n2,[],5\n"
    events = read(text, list_separator=" ", list_item="^(.+)-1$", max_bad_share=0.5)
    assert items(events) == "7 8"
    assert events.dropped == {"bad rows: item_id is empty": 1}


def test_parts_of_elements_need_lists(read: Callable[..., Events]) -> None:
    with pytest.raises(
        UserError, match=r"list_item=\(\.\) is for the elements of a list, but .* single items"
    ):
        read("session_id,item_id,time\n1,a,5\n", list_item="(.)")
