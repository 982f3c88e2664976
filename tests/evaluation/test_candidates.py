import numpy as np
import pytest
import torch

from prnn_cli.evaluation.candidates import Candidates

SUPPORT = np.array([3, 7, 3, 0, 9, 3])


def test_the_candidates_are_the_items_of_most_support_and_ties_go_to_the_lower_index() -> None:
    chosen = Candidates.choose(3, SUPPORT)
    assert isinstance(chosen.items, torch.Tensor)
    assert chosen.items.tolist() == [0, 1, 4]
    assert chosen.column.tolist() == [0, 1, -1, -1, 2, -1]
    assert chosen.num_candidates == 3


@pytest.mark.parametrize("setting", ["all", 6, 7, 50_000])
def test_as_many_candidates_as_items_or_more_means_all(setting: str | int) -> None:
    chosen = Candidates.choose(setting, SUPPORT)
    assert chosen.items == slice(0, 6)
    assert chosen.column.tolist() == [0, 1, 2, 3, 4, 5]
    assert chosen.num_candidates == 6
