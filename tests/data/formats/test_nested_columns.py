"""Events within objects and structures, as OTTO has them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.conftest import rows
from prnn_cli.data.events import Events
from prnn_cli.data.formats.log_files import open_file
from prnn_cli.data.formats.text_options import TextOptions
from prnn_cli.errors import UserError

SESSIONS: list[dict[str, Any]] = [
    {
        "session": 1,
        "events": [{"aid": 7, "ts": 5, "type": "clicks"}, {"aid": 8, "ts": 6, "type": "carts"}],
        "by": {"user": {"id": "u"}},
    },
    {"session": 2, "events": [], "by": None},
    {"session": 3, "events": None, "by": {"user": None}},
    {"session": 4, "events": [{"aid": 7, "ts": 9, "type": "clicks"}, None], "by": {"user": {"id": "v"}}},
]
COLUMNS = {"session_id": "session", "item_id": "events.aid", "time": "events.ts"}


def write(path: Path) -> None:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(SESSIONS), path)
    else:
        path.write_text("".join(f"{json.dumps(each)}\n" for each in SESSIONS))


FILES = pytest.mark.parametrize("file", ["clicks.jsonl", "clicks.parquet"])


@FILES
def test_each_object_of_a_list_is_an_event(read: Callable[..., Events], file: str) -> None:
    events = read(write, file, columns=COLUMNS, max_bad_share=0.6)
    assert rows(events) == [("1", "7", 5), ("1", "8", 6), ("4", "7", 9)]
    assert events.dropped == {"bad rows: events.aid is empty": 3}


@FILES
def test_filters_look_at_fields_within(read: Callable[..., Events], file: str) -> None:
    filters = [{"column": "events.type", "keep": "^clicks$"}]
    assert [item for _, item, _ in rows(read(write, file, columns=COLUMNS, filters=filters))] == ["7", "7"]


@FILES
def test_fields_of_an_object_are_columns(read: Callable[..., Events], file: str) -> None:
    events = read(write, file, columns=COLUMNS | {"session_id": "by.user.id"}, max_bad_share=0.6)
    assert rows(events) == [("u", "7", 5), ("u", "8", 6), ("v", "7", 9)]


@FILES
def test_a_missing_field_is_answered_with_the_names_of_all(read: Callable[..., Events], file: str) -> None:
    with pytest.raises(
        UserError, match=r"no column 'events'; it has 'session', 'events\.aid', 'events\.ts', "
    ):
        read(write, file, columns=COLUMNS | {"item_id": "events"})


def test_a_name_with_a_dot_in_it_is_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a.b": 1, "a": {"b": 2, "c": 3}}\n')
    assert open_file(path, TextOptions("utf-8")).read(["a.b", "a.c"]).to_pydict() == {"a.b": [1], "a.c": [3]}
