"""The best next items, by a scorer whose order is known: the sum of the clicks, modulo ten, then the items after it."""

from collections.abc import Callable

import pytest

from evaluation.test_replay import NUM_ITEMS, SESSIONS, SumScorer
from prnn_cli.data.sessions import Sessions
from prnn_cli.evaluation import replay
from prnn_cli.evaluation.recommending import best_next
from small import CPU

LogOf = Callable[[list[list[int]], int], Sessions]


@pytest.mark.parametrize("most_slots", [1, 2, 100])
def test_each_session_is_scored_by_its_own_clicks_alone(
    log_of: LogOf, most_slots: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sessions of one to seven clicks stand side by side; what pads the short ones is forgotten."""
    monkeypatch.setitem(replay.MAX_SLOTS, "cpu", most_slots)
    items, scores = best_next(SumScorer(), log_of(SESSIONS, NUM_ITEMS), 3, False, CPU)
    assert items.tolist() == [[(sum(session) + k) % NUM_ITEMS for k in range(3)] for session in SESSIONS]
    assert scores.tolist() == [[0, -1, -2]] * len(SESSIONS)


def test_clicked_items_can_be_left_out(log_of: LogOf) -> None:
    items, _ = best_next(SumScorer(), log_of([[1, 3], [0]], NUM_ITEMS), 3, True, CPU)
    assert items.tolist() == [[4, 5, 6], [1, 2, 3]]
