from collections.abc import Callable

import torch

from prnn_cli.baselines.markov import Markov
from prnn_cli.data.sessions import Sessions

LogOf = Callable[[list[list[int]], int], Sessions]


def test_only_the_last_click_counts(log_of: LogOf) -> None:
    scorer = Markov.fit(log_of([[0, 1], [2, 1], [2, 3]], 4))
    scorer.reset(1)
    for item, new in ((0, True), (2, False)):
        scorer.advance(torch.tensor([item]), torch.tensor([new]))
    assert scorer.scores(slice(0, 4)).tolist() == [[0, 1, 0, 1]]
