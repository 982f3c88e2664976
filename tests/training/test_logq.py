import math

import numpy as np
import pytest
import torch

from prnn_cli.training.logq import LogQ
from prnn_cli.training.losses import cross_entropy
from prnn_cli.training.negatives import NegativeSampler
from small import CPU

SUPPORT = np.array([4, 0, 1, 3])


def test_the_correction_is_the_log_of_how_often_an_item_is_expected_among_columns_of_its_kind() -> None:
    """2 targets are item 0 in 4 of 8 cases each; 3 sampled negatives, ∝ 2 : 1 : √3."""
    logq = LogQ(SUPPORT, alpha=0.5, num_slots=2, num_sampled=3, strength=1.0, device=CPU)
    found = logq.correction(torch.tensor([[0, 2]]), torch.tensor([[0, 3, 2]]))
    sampled = 3 / (2 + 1 + math.sqrt(3))
    expected = [2 * 4 / 8, 2 * 1 / 8, sampled * 2, sampled * math.sqrt(3), sampled]
    assert found[0].tolist() == pytest.approx([math.log(count) for count in expected])


def test_the_strength_is_a_factor() -> None:
    whole, half = (LogQ(SUPPORT, 0.5, 2, 3, strength, CPU) for strength in (1.0, 0.5))
    columns = torch.tensor([[0, 2]]), torch.tensor([[0, 3, 2]])
    torch.testing.assert_close(whole.correction(*columns), 2 * half.correction(*columns))


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_corrected_samples_estimate_the_sum_over_the_whole_catalogue(alpha: float) -> None:
    """Σ exp(r_j − log q_j) over sampled negatives is Σ exp(r_j) over all items, whatever they are sampled by."""
    support = np.array([50, 2, 9, 25, 14])
    scores = torch.tensor([0.5, -1.0, 2.0, 0.0, 1.0], dtype=torch.float64)
    drawn = NegativeSampler(support, alpha, 200_000, CPU).draw(1, torch.Generator().manual_seed(0))
    logq = LogQ(support, alpha, num_slots=1, num_sampled=200_000, strength=1.0, device=CPU)
    correction = logq.correction(torch.zeros(1, 0, dtype=torch.int64), drawn)
    assert float((scores[drawn] - correction).exp().sum()) == pytest.approx(
        float(scores.exp().sum()), rel=0.01
    )


def test_cross_entropy_by_hand_with_a_correction() -> None:
    """Two slots whose scores are all 0; the other column is expected e times as often: p = 1 / (1 + 1/e)."""
    losses = cross_entropy(torch.zeros(2, 2), torch.ones(2), correction=torch.tensor([0.0, 1.0]))
    assert losses.tolist() == pytest.approx([math.log(1 + 1 / math.e), math.log(1 + math.e)])
