import numpy as np
import pytest
import torch
from torch import Tensor

from prnn_cli.evaluation.ties import equal_range, rank, tie_rate
from prnn_cli.networks.network import ACTIVATIONS


@pytest.mark.parametrize("activation", ["tanh", "elu"])
def test_the_range_of_equal_scores_ends_where_the_score_changes(activation: str) -> None:
    f = ACTIVATIONS[activation]
    logits = torch.tensor([-200.0, -12.0, -3.0, -1e-3, 0.0, 1e-30, 0.4, 2.0, 7.0, 9.5, torch.inf])
    low, high = equal_range(f, logits)
    assert torch.equal(f(low), f(logits))
    assert torch.equal(f(high), f(logits))
    assert (low <= logits).all()
    assert (logits <= high).all()

    def beyond(bound: Tensor, end: float) -> Tensor:
        return torch.nextafter(bound, torch.full_like(bound, end))

    below, above = beyond(low, -torch.inf), beyond(high, torch.inf)
    assert (torch.isinf(low) | (f(below) < f(logits))).all()
    assert (torch.isinf(high) | (f(above) > f(logits))).all()


def test_a_nan_has_some_range_of_equal_scores() -> None:
    """It is refused later; here the search must only end, whatever the sign of the NaN."""
    nan = torch.tensor([torch.nan])
    assert len(equal_range(torch.tanh, torch.cat([nan, torch.copysign(nan, torch.tensor(-1.0))]))[0]) == 2


def test_logits_that_are_the_scores_equal_themselves_alone() -> None:
    logits = torch.tensor([-2.0, 0.0, 30.0])
    low, high = equal_range(None, logits)
    assert torch.equal(low, logits)
    assert torch.equal(high, logits)


@pytest.mark.parametrize(
    ("tie_break", "expected"), [("standard", [1, 4]), ("median", [1.5, 4]), ("conservative", [2, 4])]
)
def test_each_tie_mode_counts_its_share_of_the_equal_scores(tie_break: str, expected: list[float]) -> None:
    assert rank(np.array([0, 3]), np.array([1, 0]), tie_break).tolist() == expected


def test_the_tie_rate_is_the_share_of_events_with_an_equal_score() -> None:
    assert tie_rate(np.array([0, 1, 0, 7])) == 0.5
