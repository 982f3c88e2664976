import numpy as np
import pytest
import torch

from prnn_cli.training.negatives import NegativeSampler
from small import CPU


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_items_are_drawn_in_proportion_to_a_power_of_their_support(alpha: float) -> None:
    support = np.array([100, 4, 25, 1])
    sampler = NegativeSampler(support, alpha, num_sampled=1000, device=CPU)
    drawn = sampler.draw(200, torch.Generator().manual_seed(0))
    assert drawn.shape == (200, 1000)
    expected = support**alpha / (support**alpha).sum()
    shares = np.bincount(drawn.flatten().numpy(), minlength=4) / drawn.numel()
    assert shares == pytest.approx(expected, abs=0.005)


def test_items_without_support_are_not_drawn() -> None:
    sampler = NegativeSampler(np.array([0, 3, 0, 1, 0]), alpha=0.75, num_sampled=500, device=CPU)
    assert set(sampler.draw(10, torch.Generator().manual_seed(0)).flatten().tolist()) == {1, 3}
