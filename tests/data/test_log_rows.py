"""Rows that are sessions, with and without a session's id."""

from collections.abc import Callable

import pytest

from data.conftest import rows
from prnn_cli.data.events import Events
from prnn_cli.errors import UserError


def test_lists_may_come_without_the_id_of_a_session(read: Callable[..., Events]) -> None:
    text = '{"item_id": ["a", "b"], "time": 5}\n{"item_id": [7, "a"], "time": 6}\n'
    events = read(text, "clicks.jsonl", columns={"session_id": None})
    assert rows(events) == [("1", "a", 5), ("1", "b", 5), ("2", "7", 6), ("2", "a", 6)]


def test_single_items_without_a_session_are_refused(read: Callable[..., Events]) -> None:
    with pytest.raises(
        UserError, match=r"session_id=null makes each row a session, but .* holds single items"
    ):
        read("item_id,time\na,5\n", "clicks.csv", columns={"session_id": None})


def test_several_columns_may_name_a_session_together(read: Callable[..., Events]) -> None:
    text = "user,session_id,item_id,time\nu1,1,a,5\nu2,1,b,6\nu1,1,c,7\nu1,2,d,8\n"
    events = read(text, columns={"session_id": ["user", "session_id"]})
    assert rows(events) == [("u1/1", "a", 5), ("u2/1", "b", 6), ("u1/1", "c", 7), ("u1/2", "d", 8)]


def test_a_session_that_lacks_one_of_its_names_is_a_bad_row(read: Callable[..., Events]) -> None:
    text = "user,session_id,item_id,time\nu1,1,a,5\nu2,,b,6\n"
    with pytest.raises(UserError, match=r"line 3, column 'session_id': is empty"):
        read(text, columns={"session_id": ["user", "session_id"]}, max_bad_share=0)
