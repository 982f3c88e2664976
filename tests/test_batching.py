import numpy as np
import pytest
import torch

from prnn_cli.batching import SessionParallelPlan, first_occurrence
from small import random_sessions, sessions_of


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
