"""Sessions for a finished model: which clicks it gets to see, and what is said of the others."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.conftest import HEADER
from prnn_cli.data.new_sessions import NewSessions, one_session, read_new_sessions, sessions_of_lists
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
