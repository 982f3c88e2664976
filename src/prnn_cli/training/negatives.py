"""Sampled negatives, shared by the slots of a mini-batch, drawn with probability ∝ support^α."""

import numpy as np
import torch
from torch import Tensor


class NegativeSampler:
    """Draws items with probability ∝ support^alpha.

    support: (num_items,) training events; items without any are never drawn
    """

    def __init__(self, support: np.ndarray, alpha: float, num_sampled: int, device: torch.device) -> None:
        weights = np.where(support > 0, np.asarray(support, dtype=np.float64) ** alpha, 0)
        cumulative = np.cumsum(weights) / weights.sum()
        self.num_sampled = num_sampled
        self._cumulative = torch.from_numpy(cumulative).to(device)

    def draw(self, num_steps: int, generator: torch.Generator) -> Tensor:
        """(num_steps, num_sampled) item indices, with replacement, by inverting the cumulative distribution."""
        # In float64: the steps of float32 are not much narrower than the chance of a rare item.
        chance = torch.rand(
            num_steps,
            self.num_sampled,
            dtype=torch.float64,
            device=self._cumulative.device,
            generator=generator,
        )
        return torch.searchsorted(self._cumulative, chance, right=True).clamp_(max=len(self._cumulative) - 1)
