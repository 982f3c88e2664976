import numpy as np
import torch

from prnn_cli.baselines.session_popularity import SessionPopularity
from small import sessions_of


def test_clicks_of_the_session_come_first_then_supports() -> None:
    scorer = SessionPopularity.fit(sessions_of([0, 1, 2], [1, 2], [2, 3], num_items=5))  # supports 1 2 3 1 0
    scorer.reset(2)
    for items, new in (([3, 4], True), ([0, 4], False), ([3, 1], False)):
        scorer.advance(torch.tensor(items), torch.tensor([new, new]))
    found = scorer.scores(slice(0, 5))
    assert found.int().tolist() == [[1, 0, 0, 2, 0], [0, 1, 0, 0, 2]]
    assert np.argsort(-found[0].numpy(), kind="stable").tolist() == [3, 0, 2, 1, 4]
    assert found[1, 0] == found[1, 3]  # of one support


def test_supports_that_a_float_cannot_tell_apart_in_the_formula_are_told_apart() -> None:
    scorer = SessionPopularity(np.array([10_000_000, 10_000_001, 10_000_001]))
    scorer.reset(1)
    scorer.advance(torch.tensor([0]), torch.tensor([True]))
    first, second, third = scorer.scores(slice(0, 3))[0].tolist()
    assert 1 <= first < 2
    assert 0 < second == third < 1


def test_a_session_of_many_clicks_finds_room() -> None:
    scorer = SessionPopularity(np.array([1, 1]))
    scorer.reset(1)
    for step in range(40):
        scorer.advance(torch.tensor([0]), torch.tensor([step == 0]))
    assert scorer.scores(slice(0, 2)).int().tolist() == [[40, 0]]
