"""Sessions for a finished model: which clicks it gets to see, and what is said of the others."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.conftest import HEADER
from prnn_cli.data.item_lookup import place_in
from prnn_cli.data.new_sessions import (
    NewSessions,
    one_session,
    read_new_sessions,
    sessions_of_lists,
    stream_new_sessions,
)
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig

Config = Callable[..., DatasetConfig]
KNOWN = np.array(["a", "b", "c"], dtype=object)


@pytest.fixture
def new(
    dataset_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., NewSessions]:
    """new(text, option=…): the sessions of today.csv for a model of the items a, b and c."""
    monkeypatch.chdir(tmp_path)

    def read(text: str, file: str = "today.csv", **options: object) -> NewSessions:
        Path(file).write_text(text)
        return read_new_sessions(dataset_config(path="old.csv", **options), file, KNOWN)

    return read


def clicks(sessions: NewSessions) -> dict[str, str]:
    """The known clicks of each session, by its id."""
    known, ids = sessions.known, sessions.ids.to_pylist()
    found = {ids[index]: "" for index in range(len(ids))}
    for n, index in enumerate(known.session_index.tolist()):
        found[ids[index]] = "".join(KNOWN[known.items[known.offsets[n] : known.offsets[n + 1]]])
    return found


def test_each_session_stays_with_its_known_clicks_in_the_order_of_time(
    new: Callable[..., NewSessions],
) -> None:
    text = HEADER + "late,c,9\nnone,x,1\nearly,b,2\nlate,x,8\nearly,a,1\nalone,a,5\n"
    assert clicks(new(text)) == {"late": "c", "none": "", "early": "ab", "alone": "a"}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("today.tsv", "item_id\tsession_id\ttime\na\t1\t5\nb\t1\t6\n"),
        (
            "today.jsonl",
            '{"session_id":"1","item_id":"a","time":5}\n{"session_id":"1","item_id":"b","time":6}\n',
        ),
    ],
)
def test_it_may_have_another_format_than_the_log_of_the_run(
    file: str, text: str, new: Callable[..., NewSessions]
) -> None:
    assert clicks(new(text, file)) == {"1": "ab"}


def test_rare_items_long_sessions_and_single_clicks_stay(new: Callable[..., NewSessions]) -> None:
    text = HEADER + "1,a,1\n" + "".join(f"2,b,{n}\n" for n in range(9))
    options = {"max_session_length": 3, "min_item_support": 99, "test_until": "1970-01-01"}
    assert clicks(new(text, **options)) == {"1": "a", "2": "b" * 9}


def test_filters_pauses_and_repeats_are_those_of_the_run(
    new: Callable[..., NewSessions], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    rows = ["u,a,1,view", "u,a,2,view", "u,x,3,view", "u,b,4,buy", "u,a,5,view", "u,c,999,view"]
    found = new(
        "session_id,item_id,time,event\n" + "\n".join(rows) + "\n",
        filters=[{"column": "event", "keep": "view"}], session_gap_s=60, drop_repeats=True,
    )  # fmt: skip
    assert clicks(found) == {"u#1": "aa", "u#2": "c"}
    assert "1 rows of today.csv are left out: event does not match view" in caplog.text
    assert "1 of 5 clicks are on items that the model does not know: left out" in caplog.text


def test_repeats_in_a_session_that_is_typed_go_as_those_of_a_log_do(dataset_config: Config) -> None:
    for drop_repeats, items in ((True, [1, 0, 1]), (False, [1, 1, 0, 1])):
        session = one_session([1, 1, 0, 1], 3, dataset_config(path="old.csv", drop_repeats=drop_repeats))
        assert session.known.items.tolist() == items


@pytest.mark.parametrize(
    ("text", "options", "sentence"),
    [
        (
            HEADER + "1,x,1\n",
            {},
            "none of the items in sessions=today.csv is known to the model: they are such as x",
        ),
        (HEADER, {}, "sessions=today.csv has a header but no rows"),
        (
            HEADER + "1,a,1\n",
            {"filters": [{"column": "item_id", "keep": "b"}]},
            "dataset.filters dropped all of them",
        ),
        (HEADER + "1,a,1\n", {"filters": [{"column": "event", "keep": "b"}]}, "has no column 'event'"),
        ("session_id,item_id\n1,a\n", {}, "has no column 'time'"),
        (HEADER + "1,a,\n", {}, "cannot be read as a time"),
    ],
)
def test_what_is_no_such_log_is_blamed_on_the_option(
    text: str, options: dict[str, object], sentence: str, new: Callable[..., NewSessions]
) -> None:
    with pytest.raises(UserError) as error:
        new(text, **options)
    assert sentence in str(error.value)
    assert "sessions=today.csv" in str(error.value)
    assert "dataset.path" not in str(error.value)


def test_files_that_are_copies_are_refused(dataset_config: Config, tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(HEADER + "1,a,1\n")
    with pytest.raises(UserError, match="are copies of each other"):
        read_new_sessions(dataset_config(path="old.csv"), str(tmp_path), KNOWN)


def test_sessions_may_be_lists(dataset_config: Config) -> None:
    lists = [["a", "x", "b"], [], ["x"], ["c", "c"]]
    found = sessions_of_lists([7, 8, "9", "ten"], lists, pd.Index(KNOWN), dataset_config(path="old.csv"))
    assert clicks(found) == {"7": "ab", "8": "", "9": "", "ten": "cc"}
    assert found.num_unknown == 2


@pytest.fixture
def streamed(
    dataset_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[NewSessions]]:
    """streamed(rows, block_rows=2, option=…): the blocks of sessions of a file that is read so many rows at a time."""
    monkeypatch.chdir(tmp_path)

    def read(rows: list[tuple[str, str, int]], block_rows: int, **options: object) -> list[NewSessions]:
        monkeypatch.setattr("prnn_cli.data.formats.parquet_files.BLOCK_ROWS", block_rows)
        pd.DataFrame(rows, columns=["session_id", "item_id", "time"]).to_parquet("today.parquet")
        return list(stream_new_sessions(dataset_config(path="old.csv", **options), "today.parquet", KNOWN))

    return read


ROWS = [
    ("late", "c", 9),
    ("late", "x", 7),
    ("late", "a", 8),
    ("none", "x", 1),
    ("one", "b", 5),
    ("two", "a", 2),
]


@pytest.mark.parametrize("block_rows", [1, 2, 3, 4, 100])
def test_a_stream_is_the_same_sessions_whatever_the_blocks(
    streamed: Callable[..., list[NewSessions]], block_rows: int
) -> None:
    blocks = streamed(ROWS, block_rows)
    found = {key: value for block in blocks for key, value in clicks(block).items()}
    assert found == {"late": "ac", "none": "", "one": "b", "two": "a"}
    assert sum(len(block.ids) for block in blocks) == 4
    assert sum(block.num_unknown for block in blocks) == 2
    assert len(blocks) > 1, "the last session may go on until the log has ended"


def test_users_of_a_stream_are_cut_at_pauses(streamed: Callable[..., list[NewSessions]]) -> None:
    rows = [("u", "a", 0), ("u", "b", 10), ("u", "c", 5000), ("v", "a", 1)]
    found = {
        key: each for block in streamed(rows, 2, session_gap_s=100) for key, each in clicks(block).items()
    }
    assert found == {"u#1": "ab", "u#2": "c", "v#1": "a"}


@pytest.mark.parametrize("block_rows", [1, 3, 100])
def test_a_session_that_goes_on_after_others_is_refused(
    streamed: Callable[..., list[NewSessions]], block_rows: int
) -> None:
    rows = [("s", "a", 1), ("t", "b", 2), ("u", "b", 3), ("s", "c", 4)]
    message = r"sessions=today.parquet .* the session s goes on after others; .*sort the log"
    with pytest.raises(UserError, match=message):
        streamed(rows, block_rows)


def test_sessions_are_split_into_few(dataset_config: Config) -> None:
    lists = [["c", "x", "a"], ["x"], ["b"], ["a"]]
    whole = sessions_of_lists("pqrs", lists, pd.Index(KNOWN), dataset_config(path="old.csv"))
    parts = list(whole.split(3))
    assert [clicks(part) for part in parts] == [{"p": "ca", "q": "", "r": "b"}, {"s": "a"}]
    assert [part.num_unknown for part in parts] == [2, 0]


def test_ids_may_have_space_around_them_or_the_form_of_a_float(dataset_config: Config) -> None:
    numbers = pd.Index(["7", "8", "9.0"])
    lists = [[7, 8.0, "7.0 ", " 8", "9.0", "9", 7.5]]
    found = sessions_of_lists([0], lists, numbers, dataset_config(path="old.csv"))
    assert found.known.items.tolist() == [0, 1, 0, 1, 2]
    assert found.num_unknown == 2
    one_by_one = [place_in({"7": 0, "8": 1, "9.0": 2}, str(each)) for each in lists[0]]
    assert one_by_one == [0, 1, 0, 1, 2, -1, -1]
