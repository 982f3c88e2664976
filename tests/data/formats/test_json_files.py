"""Lines that are no objects, and columns that mix their types."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from data.conftest import CLICKS, json_lines, rows
from prnn_cli.data.events import Events
from prnn_cli.data.formats.log_files import open_file
from prnn_cli.data.formats.text_options import TextOptions
from prnn_cli.errors import UserError


def test_a_broken_line_of_json_is_named(read: Callable[..., Events]) -> None:
    text = json_lines().decode() + '{"session_id": 7, "item_id\n[1, 2]\n'
    with pytest.raises(
        UserError, match=r"clicks\.jsonl, line 6 is no JSON object; .*line 7 is no JSON object"
    ):
        read(text, "clicks.jsonl")
    events = read(text + "\n", "clicks.jsonl", max_bad_share=0.5)
    assert (rows(events), events.dropped) == (CLICKS, {"bad rows: no rows of the table": 2})


def test_ids_of_json_may_be_numbers_and_text_in_turns(read: Callable[..., Events]) -> None:
    text = "".join(f'{{"session_id": {s}, "item_id": "a", "time": 5}}\n' for s in ("1", '"1"', '"x"', "2"))
    assert [session for session, _, _ in rows(read(text, "clicks.jsonl"))] == ["1", "1", "x", "2"]


def test_a_table_of_json_may_change_its_types_along_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prnn_cli.data.formats.json_files.BLOCK_ROWS", 2)
    path = tmp_path / "items.jsonl"
    path.write_text("".join(f'{{"item_id": {i}, "n": null, "l": {i}}}\n' for i in ("1", "2.0", '"x"', "[3]")))
    table = open_file(path, TextOptions("utf-8")).read(["item_id", "n"])
    assert table.to_pydict() == {"item_id": ["1", "2", "x", "[3]"], "n": [None, None, None, None]}
    path.write_text("".join(f'{{"item_id": {i}}}\n' for i in ("1", "2", "[3]", "[4]")))
    with pytest.raises(
        UserError, match=r"column 'item_id' holds values of the types int64, list<item: int64>; make"
    ):
        open_file(path, TextOptions("utf-8")).read(["item_id"])


def test_half_a_character_becomes_a_replacement_character(read: Callable[..., Events]) -> None:
    text = r'{"session_id": "1", "item_id": "a\ud83d", "time": 5}' + "\n"
    assert [item for _, item, _ in rows(read(text, "clicks.jsonl"))] == ["a\ufffd"]


def test_a_whole_number_among_texts_is_written_as_elsewhere(read: Callable[..., Events]) -> None:
    text = "".join(f'{{"session_id": 1, "item_id": {i}, "time": 5}}\n' for i in ("7", "7.0", '"x"'))
    assert [item for _, item, _ in rows(read(text, "clicks.jsonl"))] == ["7", "7", "x"]


def test_a_large_whole_number_keeps_its_digits_beside_a_fractional_one(read: Callable[..., Events]) -> None:
    text = "".join(f'{{"session_id": 1, "item_id": {i}, "time": 5}}\n' for i in (2**60 + 1, 7.0))
    assert [item for _, item, _ in rows(read(text, "clicks.jsonl"))] == ["1152921504606846977", "7"]


@pytest.mark.parametrize("depth", [3, 400, 950])
def test_lists_in_lists_are_no_ids(read: Callable[..., Events], depth: int) -> None:
    text = f'{{"session_id": 1, "item_id": {"[" * depth}7{"]" * depth}, "time": 5}}\n'
    events = read(text + '{"session_id": 1, "item_id": ["a"], "time": 6}\n', "clicks.jsonl", max_bad_share=1)
    assert rows(events)[-1] == ("1", "a", 6)


@pytest.mark.parametrize("file", ["clicks.json", "clicks.json.gz", "clicks.jsonl"])
def test_objects_may_be_written_as_python_prints_them(read: Callable[..., Events], file: str) -> None:
    """As the reviews of Steam are."""
    lines = [
        "{u'session_id': u'1', u'item_id': u'a', u'time': 5, u'early': True}",
        '{"session_id": "1", "item_id": "b", "time": 6, "early": true}',
        "{'session_id': '1', 'item_id': \"c's\", 'time': 7, 'early': None, 'hours': (1, 2)}",
    ]
    text = "".join(f"{line}\n" for line in lines).encode()
    events = read(gzip.compress(text) if file.endswith(".gz") else text, file)
    assert rows(events) == [("1", "a", 5), ("1", "b", 6), ("1", "c's", 7)]


def test_nothing_in_a_line_is_executed(read: Callable[..., Events], tmp_path: Path) -> None:
    made = tmp_path / "made"
    broken = [
        f"{{'session_id': '1', 'item_id': 'x', 'time': open({str(made)!r}, 'w')}}",
        "{'session_id': '1', 'item_id': 'x', 'time': 1 + 1}",
        "{'session_id': '1', 'item_id': {'a', 'b'}, 'time': 1}",
        "{'session_id': '1', 'item_id': 'x'",
        "__import__('os')",
        "{" * 10_000,
    ]
    good = "{'session_id': '1', 'item_id': 'a', 'time': 5}"
    events = read("".join(f"{line}\n" for line in [*broken, good]), "clicks.json", max_bad_share=1)
    assert (rows(events), events.dropped) == (
        [("1", "a", 5)],
        {"bad rows: no rows of the table": len(broken)},
    )
    assert not made.exists()
