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
