"""The engine against `best_next`, which answers whole logs."""

import numpy as np
import pytest
import torch

from prnn_cli.evaluation.item_rules import ItemRules
from prnn_cli.evaluation.recommending import best_next
from prnn_cli.networks.folded import FoldedNetwork, FoldedScorer, fold
from prnn_cli.serving.engine import Ask, Engine
from small import CPU, parameters_of, random_sessions
from training.test_executors import in_single_precision
from training.test_step import network_of


@pytest.fixture(scope="module")
def network() -> FoldedNetwork:
    network = in_single_precision(network_of("interaction", "image_and_text"), CPU)
    return fold(network, parameters_of(network))


def asks_of(seed: int, exclude_clicked: bool = True) -> list[Ask]:
    sessions = random_sessions(seed, num_sessions=12)
    clicks = [items.tolist() for items in np.split(sessions.items, sessions.offsets[1:-1])]
    return [Ask(each, None, each if exclude_clicked else (), 3) for each in clicks]


@pytest.mark.parametrize("exclude_clicked", [True, False])
def test_answers_are_those_of_a_log(network: FoldedNetwork, exclude_clicked: bool) -> None:
    rules = ItemRules(exclude_clicked)
    items, scores = best_next(FoldedScorer(network), random_sessions(1, num_sessions=12), 3, rules, CPU)
    for n, answer in enumerate(Engine(network).answer(asks_of(1, exclude_clicked))):
        left = np.isfinite(scores[n])
        assert answer.items == items[n, left].tolist()
        assert answer.scores == pytest.approx(scores[n, left].tolist(), abs=1e-6)


def test_no_answer_depends_on_who_asks_beside(network: FoldedNetwork) -> None:
    engine, asks = Engine(network), asks_of(2)
    for ask, together in zip(asks, engine.answer(asks), strict=True):
        (alone,) = engine.answer([ask])
        assert alone.items == together.items
        assert alone.scores == pytest.approx(together.scores, abs=1e-6)


def test_a_session_goes_on_from_its_state(network: FoldedNetwork) -> None:
    engine = Engine(network)
    (whole,) = engine.answer([Ask([1, 2, 5], None, [1, 2, 5], 3)])
    (first,) = engine.answer([Ask([1], None, [1], 3)])
    other = Ask([7, 7], None, (), 2)
    second, _ = engine.answer([Ask([2, 5], first.state, [1, 2, 5], 3), other])
    again, _ = engine.answer([Ask([], second.state, [1, 2, 5], 3), other])
    for answer in (second, again):
        assert answer.items == whole.items
        assert answer.scores == pytest.approx(whole.scores, abs=1e-6)
        assert all(torch.allclose(answer.state[name], state) for name, state in whole.state.items())


def test_rules_hold_for_their_own_session(network: FoldedNetwork) -> None:
    one, two, three = Engine(network).answer(
        [
            Ask([1], None, [1], 8, allowed=np.array([1, 4, 6])),
            Ask([1, 2], None, (), 8, denied=np.array([0, 3, 5])),
            Ask([1], None, [1], 2, allowed=np.array([], dtype=np.int64)),
        ]
    )
    assert set(one.items) == {4, 6}
    assert set(two.items) == {1, 2, 4, 6, 7}
    assert three.items == []
