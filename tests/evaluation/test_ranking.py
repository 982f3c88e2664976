import numpy as np
import pytest
import torch

from prnn_cli.evaluation import ranking
from prnn_cli.evaluation.ranking import count_better_and_equal

INF, NAN = float("inf"), float("nan")


def counts(scores: list[list[float]], target_column: list[int], num_candidates: int) -> list[list[int]]:
    counted = count_better_and_equal(torch.tensor(scores), torch.tensor(target_column), num_candidates)
    return [part.tolist() for part in counted]


def test_only_strictly_higher_scores_are_better() -> None:
    assert counts([[0.1, 0.9, 0.5, 0.7]], [2], 4) == [[2], [0]]


def test_equal_scores_are_counted_without_the_target_itself() -> None:
    assert counts([[0.5, 0.9, 0.5, 0.5], [0.0, 0.0, 0.0, 1.0]], [0, 3], 4) == [[1, 0], [2, 0]]


def test_a_target_outside_the_candidates_is_compared_with_all_of_them() -> None:
    scores = [[0.5, 0.9, 0.5, 0.5, 7.0]]  # three candidates, then two columns of targets
    assert counts(scores, [3], 3) == [[1], [2]]


def test_infinite_scores_have_ranks() -> None:
    assert counts([[INF, -INF, INF, 0.0]], [3], 4) == [[2], [0]]
    assert counts([[INF, -INF, INF, 0.0]], [0], 4) == [[0], [1]]


@pytest.mark.parametrize("row", [[NAN, 0.5, 0.9], [0.1, 0.5, NAN], [NAN, NAN, NAN]])
def test_a_nan_anywhere_among_the_candidates_is_marked_instead_of_ranked(row: list[float]) -> None:
    assert counts([[0.3, 0.2, 0.1], row], [0, 2], 3)[0] == [0, -1]


def test_a_nan_of_a_target_outside_the_candidates_is_marked_for_its_row_only() -> None:
    assert counts([[0.1, 0.2, NAN, 0.5], [0.1, 0.2, NAN, 0.5]], [2, 3], 2)[0] == [-1, 0]


@pytest.mark.parametrize("cached_scores", [1, 40, 2**18])
def test_counting_in_tiles_agrees_with_a_loop(cached_scores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "CACHED_SCORES", cached_scores)
    generator = np.random.default_rng(0)
    scores = generator.integers(0, 4, size=(17, 13)).astype(np.float32)
    target = generator.integers(0, 13, size=17)
    better, equal = count_better_and_equal(torch.from_numpy(scores), torch.from_numpy(target), 9)
    for row, column in enumerate(target):
        others = [scores[row, j] for j in range(9) if j != column]
        assert better[row] == sum(other > scores[row, column] for other in others)
        assert equal[row] == sum(other == scores[row, column] for other in others)
