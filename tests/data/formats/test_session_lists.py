"""Lists of items become events one by one."""

from collections.abc import Callable

from data.conftest import rows
from prnn_cli.data.events import Events


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
