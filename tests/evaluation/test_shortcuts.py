"""Ranking by a shortcut against ranking by all scores."""

import numpy as np
import pytest
import torch
from scipy import sparse

from prnn_cli.baselines.last_click import LastClickScorer
from prnn_cli.baselines.popularity import Popularity
from prnn_cli.errors import RunError
from prnn_cli.evaluation.candidates import Candidates
from prnn_cli.evaluation.replay import replay
from prnn_cli.scoring import Scorer
from small import random_sessions

SESSIONS = random_sessions(seed=4)
SUPPORT = np.array([9, 1, 8, 2, 7, 3, 6, 4])


class ByScores:
    """A scorer without its shortcut."""

    def __init__(self, scorer: Scorer) -> None:
        self.name, self.reset, self.advance, self.scores = (
            scorer.name,
            scorer.reset,
            scorer.advance,
            scorer.scores,
        )


def last_click(kind: str) -> LastClickScorer:
    """Random scores, some of which tie; `stored` zeros stand in the matrix, `negative` scores are below the others."""
    matrix = sparse.random_array(
        (8, 8), density=0.5, rng=np.random.default_rng(0), format="csr", dtype=np.float32
    )
    least = {"positive": 1, "stored": 0, "negative": -2}[kind]
    matrix.data = np.random.default_rng(1).integers(least, 3, len(matrix.data)).astype(np.float32)
    return LastClickScorer("some", matrix)


@pytest.mark.parametrize("candidates", ["all", 5, 1])
@pytest.mark.parametrize("num_slots", [1, 5])
@pytest.mark.parametrize("kind", ["positive", "stored", "negative", "popularity"])
def test_shortcuts_give_the_ranks_and_ties_of_the_scores(
    kind: str, num_slots: int, candidates: str | int
) -> None:
    scorer = Popularity(SUPPORT // 3) if kind == "popularity" else last_click(kind)
    chosen = Candidates.choose(candidates, SUPPORT)
    found, expected = (
        replay(each, SESSIONS, chosen, num_slots=num_slots) for each in (scorer, ByScores(scorer))
    )
    np.testing.assert_array_equal(found.better, expected.better)
    np.testing.assert_array_equal(found.equal, expected.equal)
    assert found.equal.any() or candidates == 1


@pytest.mark.parametrize("kind", ["sparse", "constant"])
def test_a_nan_is_refused(kind: str) -> None:
    scorer: Scorer
    if kind == "sparse":
        scorer = last_click("positive")
        scorer.matrix.data[3] = np.nan
    else:
        scorer = Popularity(SUPPORT)
        scorer.support[2] = torch.nan
    with pytest.raises(RunError, match="scores NaN"):
        replay(scorer, SESSIONS, Candidates.choose("all", SUPPORT))
