"""Candidates: the items that each target is ranked against."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Candidates:
    """The items to rank against: all, or the N of most training support.

    items: what a scorer is asked for
    column: (num_items,) int64, the place of each item among the candidates, -1 if it is none of them
    """

    items: slice | Tensor
    column: Tensor
    num_candidates: int

    @classmethod
    def choose(
        cls, candidates: str | int, support: np.ndarray, device: torch.device | str = "cpu"
    ) -> "Candidates":
        """The candidates by the setting: "all", or N.

        support: (num_items,) training events of each item; of equal ones the lower index comes first
        """
        num_items = len(support)
        if candidates == "all" or int(candidates) >= num_items:
            return cls(slice(0, num_items), torch.arange(num_items, device=device), num_items)
        most_supported = np.sort(np.argsort(-support, kind="stable")[: int(candidates)])
        items = torch.from_numpy(most_supported).to(device)
        column = torch.full((num_items,), -1, device=device)
        column[items] = torch.arange(len(items), device=device)
        return cls(items, column, len(items))
