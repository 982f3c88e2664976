import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from prnn_cli.data.sessions import Sessions
from prnn_cli.errors import RunError
from prnn_cli.evaluation import replay as replay_module
from prnn_cli.evaluation.candidates import Candidates
from prnn_cli.evaluation.replay import evaluate, replay
from prnn_cli.schema import EvaluationConfig

LogOf = Callable[[list[list[int]], int], Sessions]
SESSIONS = [[1, 2, 3], [4, 4], [7], [0, 9, 8, 2, 6, 5, 1], [3, 2], [6, 1, 1, 0]]
NUM_ITEMS = 10
EVEN_ITEMS_HAVE_MORE_SUPPORT = np.array([2, 1] * 5)


class SumScorer:
    """Remembers each slot's session; ranks the item numbered by its sum first, then the items that follow."""

    name = "sum"

    def reset(self, num_slots: int) -> None:
        self.num_slots = num_slots
        self.seen: list[list[int]] = [[] for _ in range(num_slots)]

    def advance(self, items: Tensor, new_session: Tensor) -> None:
        for slot, (item, new) in enumerate(zip(items.tolist(), new_session.tolist(), strict=True)):
            self.seen[slot] = [item] if new else [*self.seen[slot], item]

    def scores(self, items: slice | Tensor) -> Tensor:
        asked = torch.arange(NUM_ITEMS)[items]
        return torch.stack([-((asked - sum(seen)) % NUM_ITEMS).float() for seen in self.seen])


def all_items() -> Candidates:
    return Candidates.choose("all", EVEN_ITEMS_HAVE_MORE_SUPPORT)


def places_after_sum(session: list[int], position: int, candidates: range) -> int:
    """How many of the candidates `SumScorer` puts before the session's item at `position`."""
    total = sum(session[:position])
    return sum((other - total) % NUM_ITEMS < (session[position] - total) % NUM_ITEMS for other in candidates)


@pytest.mark.parametrize("num_slots", [1, 2, 3, 50, None])
@pytest.mark.parametrize("steps_a_tick", [1, 3, 64])
def test_each_event_but_a_first_one_is_ranked_once_by_its_own_session(
    log_of: LogOf, num_slots: int | None, steps_a_tick: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_module, "STEPS_A_TICK", steps_a_tick)
    ranks = replay(SumScorer(), log_of(SESSIONS, NUM_ITEMS), all_items(), num_slots=num_slots)
    expected = [
        (10 * number, position, session[position], places_after_sum(session, position, range(NUM_ITEMS)))
        for number, session in enumerate(SESSIONS)
        for position in range(1, len(session))
    ]
    found = zip(ranks.session, ranks.position, ranks.target, ranks.better, strict=True)
    assert [tuple(map(int, event)) for event in found] == expected
    assert ranks.equal.tolist() == [0] * len(expected)
    assert ranks.num_events == len(expected)


@pytest.mark.parametrize("num_slots", [1, 2, 50, None])
def test_where_last_events_are_ranked_alone_their_ranks_are_those_among_all(
    log_of: LogOf, num_slots: int | None
) -> None:
    sessions = log_of(SESSIONS, NUM_ITEMS)
    all_ranks = replay(SumScorer(), sessions, all_items(), num_slots=num_slots)
    ranks = replay(SumScorer(), replace(sessions, ranks_last_only=True), all_items(), num_slots=num_slots)
    lengths = np.array([len(session) for session in SESSIONS])
    is_last = all_ranks.position == lengths[all_ranks.session // 10] - 1
    for name in ("session", "position", "target", "better", "equal"):
        assert getattr(ranks, name).tolist() == getattr(all_ranks, name)[is_last].tolist()


def test_few_steps_are_counted_where_last_events_are_ranked_alone(log_of: LogOf) -> None:
    class CountingScorer(SumScorer):
        num_scored = 0

        def scores(self, items: slice | Tensor) -> Tensor:
            self.num_scored += 1
            return super().scores(items)

    scorer = CountingScorer()
    sessions = replace(log_of([[1] * 9] * 8 + [[2] * 5] * 8, NUM_ITEMS), ranks_last_only=True)
    assert len(replay(scorer, sessions, all_items(), num_slots=8).better) == 16
    assert scorer.num_scored == 2


@pytest.mark.parametrize("num_slots", [1, 4])
def test_targets_inside_and_outside_the_candidates_are_ranked_against_them(
    log_of: LogOf, num_slots: int
) -> None:
    even = Candidates.choose(5, EVEN_ITEMS_HAVE_MORE_SUPPORT)
    ranks = replay(SumScorer(), log_of(SESSIONS, NUM_ITEMS), even, num_slots=num_slots)
    assert {target % 2 for target in ranks.target.tolist()} == {0, 1}
    assert ranks.better.tolist() == [
        places_after_sum(session, position, range(0, NUM_ITEMS, 2))
        for session in SESSIONS
        for position in range(1, len(session))
    ]
    assert not ranks.equal.any()


def test_a_scorer_without_preferences_ties_each_target_with_all_other_candidates(log_of: LogOf) -> None:
    class Indifferent(SumScorer):
        def scores(self, items: slice | Tensor) -> Tensor:
            return torch.zeros(self.num_slots, len(torch.arange(NUM_ITEMS)[items]))

    log = log_of([[0, 1, 2]], NUM_ITEMS)
    assert replay(Indifferent(), log, all_items()).equal.tolist() == [9, 9]
    even = Candidates.choose(5, EVEN_ITEMS_HAVE_MORE_SUPPORT)
    assert replay(Indifferent(), log, even).equal.tolist() == [5, 4]  # item 1 is no candidate, item 2 is


def test_sessions_of_one_event_leave_nothing_to_rank(log_of: LogOf) -> None:
    assert replay(SumScorer(), log_of([[1], [2]], NUM_ITEMS), all_items()).num_events == 0


def test_slots_are_so_few_that_their_scores_fit_into_memory(
    log_of: LogOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(replay_module.MAX_SCORES, "cpu", 3 * NUM_ITEMS)
    scorer = SumScorer()
    replay(scorer, log_of([[1, 2]] * 40, NUM_ITEMS), all_items())
    assert scorer.num_slots == 3


def test_one_long_session_does_not_keep_the_other_slots_idle(log_of: LogOf) -> None:
    class Counting(SumScorer):
        num_scored = 0

        def scores(self, items: slice | Tensor) -> Tensor:
            self.num_scored += self.num_slots
            return super().scores(items)

    scorer = Counting()
    ranks = replay(scorer, log_of([[1, 2]] * 40 + [[3] * 21], NUM_ITEMS), all_items())
    assert ranks.num_events == 60
    assert scorer.num_scored <= 2 * 60


def test_evaluate_takes_the_candidates_from_the_settings(log_of: LogOf) -> None:
    config = EvaluationConfig(part="test", cutoffs=[20], candidates=5, tie_break="conservative")
    log = log_of(SESSIONS, NUM_ITEMS)
    found = evaluate(SumScorer(), log, EVEN_ITEMS_HAVE_MORE_SUPPORT, config, device="cpu")
    even = Candidates.choose(5, EVEN_ITEMS_HAVE_MORE_SUPPORT)
    np.testing.assert_array_equal(found.better, replay(SumScorer(), log, even).better)


class NanScorer(SumScorer):
    """Scores NaN for one item in one slot once it has seen a number of its session's events."""

    name = "broken"

    def __init__(self, slot: int, num_seen: int) -> None:
        self.slot, self.num_seen = slot, num_seen

    def scores(self, items: slice | Tensor) -> Tensor:
        scores = super().scores(items)
        if len(self.seen[self.slot]) >= self.num_seen:
            scores[self.slot, 0] = torch.nan
        return scores


def test_a_nan_score_names_the_method_the_event_and_the_way_on(log_of: LogOf) -> None:
    message = "broken scores NaN before event 4 of session 10"
    with pytest.raises(RunError, match=f"{re.escape(message)}.*lower learning_rate"):
        replay(
            NanScorer(slot=1, num_seen=3),
            log_of([[1, 2], [5, 6, 7, 8, 9]], NUM_ITEMS),
            all_items(),
            num_slots=2,
        )


def test_what_an_idle_slot_scores_does_not_matter(log_of: LogOf) -> None:
    log = log_of([[5, 6, 7, 8, 9], [1, 2]], NUM_ITEMS)
    ranks = replay(NanScorer(slot=1, num_seen=2), log, all_items(), num_slots=2)
    assert ranks.num_events == 5
    assert (ranks.better >= 0).all()
