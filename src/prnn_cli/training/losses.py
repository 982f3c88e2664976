"""Losses over a mini-batch's scores, one function each.

scores: (B, M), column i < B is slot i's target, so that the other slots' targets are its in-batch negatives;
columns from B on are the sampled negatives. active: (B,) bool. Returns (B,), 0 where the slot is idle.
"""

import torch
from torch import Tensor


def top1(scores: Tensor, active: Tensor) -> Tensor:
    """1/M Σ_j [σ(r_j − r_i) + σ(r_j²)] − σ(r_i²)/M over the M active columns j (paper, section 3; GRU4Rec's code).

    The target's own column stays in the mean, where its first term is σ(0), but is not regularised.
    """
    columns = active_columns(active, scores.shape[1])
    target = scores.diagonal()[:, None]
    terms = torch.sigmoid(scores - target) + torch.sigmoid(scores**2)
    own_regularisation = torch.sigmoid(target**2)[:, 0]
    loss = ((terms * columns).sum(dim=1) - own_regularisation) / columns.sum()
    return torch.where(active, loss, 0)


def active_columns(active: Tensor, num_columns: int) -> Tensor:
    """(M,) float: 1 for the active slots' targets and for every sampled negative."""
    return torch.nn.functional.pad(active.float(), (0, num_columns - len(active)), value=1.0)
