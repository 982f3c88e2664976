from collections.abc import Callable

import torch

from prnn_cli.baselines.popularity import Popularity
from prnn_cli.data.sessions import Sessions
from prnn_cli.evaluation.candidates import Candidates
from prnn_cli.evaluation.replay import replay

LogOf = Callable[[list[list[int]], int], Sessions]


def test_every_slot_is_scored_by_training_events(log_of: LogOf) -> None:
    scorer = Popularity.fit(log_of([[0, 2, 2], [2, 0], [3, 3]], 5))
    scorer.reset(2)
    scorer.advance(torch.tensor([1, 4]), torch.tensor([True, True]))
    assert scorer.scores(slice(0, 5)).tolist() == [[2, 0, 3, 2, 0]] * 2
    assert scorer.scores(torch.tensor([3, 2, 2])).tolist() == [[2, 3, 3]] * 2


def test_items_of_the_same_support_tie(log_of: LogOf) -> None:
    train = log_of([[0, 2, 2], [2, 0], [3, 3]], 5)  # supports 2 0 3 2 0
    test = log_of([[4, 2, 0, 1]], 5)
    ranks = replay(
        Popularity.fit(train), test, Candidates.choose("all", Popularity.fit(train).support.numpy())
    )
    assert ranks.target.tolist() == [2, 0, 1]
    assert ranks.better.tolist() == [0, 1, 3]
    assert ranks.equal.tolist() == [0, 1, 1]
