"""Any log is read, filtered and split right, or refused with a sentence; no event is lost without a reason."""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from data.conftest import CONFIGS
from data.slow_sessions import slow_split
from generated.cases import EDITS, EVENTS, WRITERS, Event, cases, csv_of, edited
from prnn_cli.data.events import Events, read_events
from prnn_cli.data.prepare import prepare
from prnn_cli.data.split import SplitLog, split_sessions
from prnn_cli.data.stray_times import are_stray
from prnn_cli.errors import UserError
from prnn_cli.schema import DatasetConfig

GENERIC = OmegaConf.merge(OmegaConf.structured(DatasetConfig), OmegaConf.load(CONFIGS / "generic.yaml"))
OPTIONS = st.fixed_dictionaries(
    {
        "min_item_support": st.integers(1, 4),
        "max_session_length": st.one_of(st.none(), st.integers(2, 12)),
        "repeat_until_stable": st.booleans(),
        "test_days": st.integers(1, 3),
        "days": st.sampled_from(["calendar", "24_hours"]),
        "test_by": st.sampled_from(["last_event", "first_event"]),
        "test_from": st.sampled_from([None, None, "1970-01-04T12:00", "1970-01-05 06:30:01+02:00"]),
        "test_until": st.sampled_from([None, "1970-01-05", "1970-01-06T13:30"]),
        "validation_days": st.integers(0, 2),
    }
)


def dataset_of(path: Path, **options: Any) -> DatasetConfig:
    dataset = OmegaConf.to_object(OmegaConf.merge(GENERIC, {"path": str(path), **options}))
    assert isinstance(dataset, DatasetConfig)
    return dataset


def rows_of(events: Events) -> list[tuple[str, str, float]]:
    sessions, items = events.session_ids.to_pylist(), events.item_ids.to_pylist()
    return [
        (sessions[session], items[item], time)
        for session, item, time in zip(events.session, events.item, events.time, strict=True)
    ]


def parts_of(split: SplitLog) -> dict[str, Counter[tuple[str, tuple[str, ...]]]]:
    """part: its sessions with their items, whatever their order"""
    ids, names = split.session_ids.to_pylist(), split.items["item_id"].tolist()
    parts: dict[str, Counter[tuple[str, tuple[str, ...]]]] = {}
    for (part, session), rows in split.events.groupby(["part", "session_index"], observed=True):
        items = tuple(names[item] for item in rows["item_index"])
        parts.setdefault(str(part), Counter())[ids[session], items] += 1
    return parts


@cases(120)
@given(EVENTS, st.sampled_from(sorted(WRITERS)))
def test_what_was_written_is_read(events: list[Event], name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(WRITERS[name](events))
        read = read_events(dataset_of(path, time_format="seconds"))
    assert rows_of(read) == sorted(((s, i, float(t)) for s, i, t in events), key=lambda event: event[2])
    assert read.dropped == {}


@cases(150)
@given(EVENTS, OPTIONS)
def test_filters_and_split_equal_the_slow_ones(events: list[Event], options: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "clicks.csv")
        path.write_bytes(csv_of(events))
        dataset = dataset_of(path, time_format="seconds", **options)
        read = read_events(dataset)
        try:
            expected = slow_split([(s, i, float(t)) for s, i, t in events], dataset)
        except ValueError:  # nothing is left to take the last day of
            with pytest.raises(UserError, match=r"no events are left|no session is left|every session"):
                split_sessions(read, dataset)
            return
        if not all(expected.parts.values()):
            with pytest.raises(UserError, match="no session is left"):
                split_sessions(read, dataset)
            return
        split = split_sessions(read, dataset)
    wanted = {
        part: Counter((session, tuple(items)) for session, items in sessions)
        for part, sessions in expected.parts.items()
    }
    assert parts_of(split) == wanted
    assert len(split.events) + sum(split.dropped.values()) == len(events)
    assert sum(split.dropped.values()) == expected.num_dropped


NUMBERS = st.one_of(st.integers(-5, 5), st.sampled_from([0.5, -0.5, 1e300, float("inf")]))
BOUNDS = st.lists(st.tuples(st.sampled_from(["above", "below"]), st.integers(-5, 5)), max_size=3)


@cases(60)
@given(st.lists(NUMBERS, min_size=1, max_size=20), BOUNDS)
def test_bounds_of_numbers_equal_a_loop(numbers: list[float], bounds: list[tuple[str, int]]) -> None:
    kept = [
        str(row)
        for row, number in enumerate(numbers)
        if not np.isinf(number) and all(number > n if bound == "above" else number < n for bound, n in bounds)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "clicks.csv")
        rows = [f"s,{row},1,{number}" for row, number in enumerate(numbers)]
        path.write_text("\n".join(["session_id,item_id,time,price", *rows, "s,last,1,nan"]))
        filters = [{"column": "price", bound: n} for bound, n in [("above", -9), *bounds]]
        try:
            read = read_events(dataset_of(path, filters=filters, max_bad_share=1))
        except UserError:
            assert kept == []
            return
    assert [read.item_ids[code].as_py() for code in read.item] == kept


YEAR_S = 365.25 * 86_400
MOMENTS = st.one_of(
    st.integers(0, 60).map(lambda n: n * YEAR_S), st.sampled_from([-1.0, 0.0, 3600.0, 90_000.0])
)


@cases(200)
@given(st.lists(MOMENTS, min_size=1, max_size=12), st.floats(0, 60), st.integers(1, 30))
def test_stray_times_equal_a_loop(moments: list[float], begin: float, length: int) -> None:
    times = [*moments, *(begin * YEAR_S + 0.2 * YEAR_S * n for n in range(length))]
    pieces: list[list[float]] = []
    for time in sorted(times):
        if not pieces or time - pieces[-1][-1] > 5 * YEAR_S:
            pieces.append([])
        pieces[-1].append(time)
    log = max(reversed(pieces), key=len)
    lasts = log[-1] - log[0]
    stray = set[float]()
    for piece in pieces:
        distance = piece[0] - log[-1] if piece[0] > log[-1] else log[0] - piece[-1]
        is_far, is_unknown = distance > lasts, all(abs(time) <= 86_400 for time in piece)
        if piece is not log and piece[-1] - piece[0] <= 86_400 and (is_far or is_unknown):
            stray.update(piece)
    assert are_stray(np.array(times), 5).tolist() == [time in stray for time in times]


@cases(200)
@given(EVENTS, st.sampled_from(sorted(WRITERS)), EDITS)
def test_a_mutated_file_ends_in_counts_that_add_up_or_in_a_sentence(
    events: list[Event], name: str, edits: list[tuple[str, float, bytes]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(edited(WRITERS[name](events), edits))
        dataset = dataset_of(path, max_bad_share=1.0, min_item_support=1)
        try:
            read = read_events(dataset)
            prepared = prepare(dataset, Path(folder, "cache"))
        except UserError as error:
            assert str(error)  # noqa: PT017
            return
        summary = prepared.summary
        kept = sum(summary[part]["events"] for part in ("train", "validation", "test") if part in summary)
        assert summary["rows"] == sum(read.rows_of_files) == kept + sum(summary["dropped"].values())
        assert all(summary["dropped"].values())
        assert np.isfinite(read.time).all()
