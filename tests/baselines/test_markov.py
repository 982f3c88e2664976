from collections.abc import Callable

import torch

from prnn_cli.baselines.markov import Markov
from prnn_cli.data.sessions import Sessions

LogOf = Callable[[list[list[int]], int], Sessions]


def scores_after(scorer: Markov, item: int) -> list[float]:
    scorer.reset(1)
    scorer.advance(torch.tensor([item]), torch.tensor([True]))
    row: list[float] = scorer.scores(slice(0, 4))[0].tolist()
    return row


def test_the_score_is_the_number_of_times_an_item_came_right_after_the_last_click(log_of: LogOf) -> None:
    scorer = Markov.fit(log_of([[0, 1, 0, 1, 2], [0, 2], [1, 1]], 4))
    assert scores_after(scorer, 0) == [0, 2, 1, 0]
    assert scores_after(scorer, 1) == [1, 1, 1, 0]


def test_nothing_follows_the_last_event_of_a_session(log_of: LogOf) -> None:
    scorer = Markov.fit(log_of([[0, 1], [2, 0], [3]], 4))
    assert scores_after(scorer, 1) == [0, 0, 0, 0]
    assert scores_after(scorer, 3) == [0, 0, 0, 0]
