import logging
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from prnn_cli import batching
from prnn_cli.batching import SessionParallelPlan, first_occurrence, training_plan
from prnn_cli.data.prepare import PreparedData
from small import prepared, random_sessions, sessions_of


def test_slots_take_the_next_session_as_soon_as_theirs_ends() -> None:
    #          events: 0 1 2     3 4     5 6 7 8       9 10
    sessions = sessions_of([0, 1, 2], [3, 4], [5, 6, 7, 0], [1, 2])
    plan = SessionParallelPlan.build(sessions, num_slots=2)
    assert plan.positions.tolist() == [
        [0, 3],  # sessions 0 and 1 begin
        [1, 5],  # session 1 is over: its slot takes session 2
        [9, 6],  # session 0 is over: its slot takes session 3
        [-1, 7],  # nothing is left for the first slot
    ]


def test_inputs_targets_and_resets_of_each_step() -> None:
    sessions = sessions_of([0, 1, 2], [3, 4], [5, 6, 7, 0], [1, 2])
    inputs = SessionParallelPlan.build(sessions, num_slots=2).steps(0, 4)
    assert inputs.input_items.tolist() == [[0, 3], [1, 5], [1, 6], [7, 7]]
    assert inputs.target_items.tolist() == [[1, 4], [2, 6], [2, 7], [0, 0]]
    assert inputs.new_session.tolist() == [[True, True], [False, True], [True, False], [False, False]]
    assert inputs.active.tolist() == [[True, True], [True, True], [True, True], [False, True]]


def test_equally_free_slots_are_taken_in_order() -> None:
    sessions = sessions_of([0, 1], [2, 3], [4, 5], [6, 7])
    plan = SessionParallelPlan.build(sessions, num_slots=2)
    assert plan.positions.tolist() == [[0, 2], [4, 6]]


def test_fewer_sessions_than_slots() -> None:
    plan = SessionParallelPlan.build(sessions_of([0, 1, 2]), num_slots=4)
    assert plan.positions.tolist() == [[0, -1, -1, -1], [1, -1, -1, -1]]
    assert plan.steps(0, 2).input_items.tolist() == [[0, 0, 0, 0], [1, 1, 1, 1]]


def test_sessions_of_one_event_take_no_step() -> None:
    plan = SessionParallelPlan.build(sessions_of([0], [1, 2], [3]), num_slots=1)
    assert plan.positions.tolist() == [[1]]


def test_no_sessions_make_no_steps() -> None:
    assert SessionParallelPlan.build(sessions_of(), num_slots=3).num_steps == 0


@pytest.mark.parametrize("num_slots", [1, 2, 7, 64])
def test_every_event_but_the_last_is_fed_once_and_in_order(num_slots: int) -> None:
    sessions = random_sessions(seed=num_slots)
    positions = SessionParallelPlan.build(sessions, num_slots).positions
    last = sessions.offsets[1:] - 1
    expected = np.setdiff1d(np.arange(sessions.num_events), last)
    assert sorted(positions[positions >= 0]) == expected.tolist()
    for slot in positions.T:
        fed = slot[slot >= 0]
        follows = np.diff(fed) == 1
        assert set(fed[1:][~follows]) <= set(sessions.offsets)  # a jump is to a session's first event
        assert set(fed[:-1][~follows] + 1) <= set(last)  # and away from an event before the last
        assert (slot[len(fed) :] == -1).all()  # a slot idles at the end only


def test_active_slots_never_grow() -> None:
    num_active = SessionParallelPlan.build(random_sessions(seed=3), num_slots=7).num_active
    assert (np.diff(num_active) <= 0).all()
    assert num_active[0] == 7
    assert num_active[-1] >= 1


def test_first_occurrence_points_to_the_first_equal_item() -> None:
    items = torch.tensor([[5, 3, 5, 5, 3, 1], [2, 2, 2, 2, 2, 0]])
    assert first_occurrence(items).tolist() == [[0, 1, 0, 0, 1, 5], [0, 0, 0, 0, 0, 5]]


# the plan of a large log is kept


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> PreparedData:
    monkeypatch.setattr(batching, "WORTH_KEEPING", 20)
    return prepared(random_sessions(seed=1, num_sessions=30))


def test_the_second_run_reads_what_the_first_one_planned(
    data: PreparedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = training_plan(data, 4, tmp_path)
    assert np.array_equal(first.positions, SessionParallelPlan.build(data.train, 4).positions)
    monkeypatch.setattr(SessionParallelPlan, "build", cast(Any, None))
    second = training_plan(data, 4, tmp_path)
    assert np.array_equal(second.positions, first.positions)
    assert second.num_active.tolist() == first.num_active.tolist()


def test_another_number_of_slots_and_other_data_have_plans_of_their_own(
    data: PreparedData, tmp_path: Path
) -> None:
    assert training_plan(data, 4, tmp_path).num_slots == 4
    assert training_plan(data, 3, tmp_path).num_slots == 3
    other = replace(data, data_hash="other", train=random_sessions(seed=2, num_sessions=40))
    assert training_plan(other, 4, tmp_path).sessions is other.train
    assert len(list((tmp_path / "plans").glob("*.safetensors"))) == 3


def test_a_damaged_plan_is_set_aside_and_made_again(
    data: PreparedData, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected = training_plan(data, 4, tmp_path).positions
    (file,) = (tmp_path / "plans").glob("*.safetensors")
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert np.array_equal(training_plan(data, 4, tmp_path).positions, expected)
    assert "is damaged" in caplog.text
    assert np.array_equal(training_plan(data, 4, tmp_path).positions, expected)


def test_the_plan_of_a_small_log_is_not_kept(data: PreparedData, tmp_path: Path) -> None:
    training_plan(replace(data, train=random_sessions(seed=1, num_sessions=10)), 4, tmp_path)
    assert not list(tmp_path.iterdir())
