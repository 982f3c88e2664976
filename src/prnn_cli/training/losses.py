"""Losses over a mini-batch's scores, one function each.

scores: (B, M), column i < B is slot i's target, so that the other slots' targets are its in-batch negatives;
further columns are the sampled negatives. Where processes share a mini-batch, B are the own slots, and the targets of
the others' slots stand between both.
active: float, 1 for the slots with a target, which stands in a column, 0 for idle ones. Returns (B,), 0 where the slot
is idle.
r_i: the target's score; j runs over the M active columns, or over the negatives, which are those but i.
"""

import torch
from torch import Tensor

TINY = 1e-24  # keeps log finite


def top1(scores: Tensor, active: Tensor) -> Tensor:
    """1/M Σ_j [σ(r_j − r_i) + σ(r_j²)] − σ(r_i²)/M (paper, section 3; GRU4Rec's code).

    The target's own column stays in the mean, where its first term is σ(0), but is not regularised.
    """
    columns = active_columns(active, scores.shape[1])
    target = _target(scores)
    terms = torch.sigmoid(scores - target) + torch.sigmoid(scores**2)
    own_regularisation = torch.sigmoid(target**2)[:, 0]
    return _of_active(((terms * columns).sum(dim=1) - own_regularisation) / columns.sum(), active)


def top1_max(scores: Tensor, active: Tensor) -> Tensor:
    """Σ_j s_j [σ(r_j − r_i) + σ(r_j²)] over the negatives, s = softmax of their scores (Hidasi & Karatzoglou, 2018)."""
    share = _softmax_of_negatives(scores, active)
    terms = torch.sigmoid(scores - _target(scores)) + torch.sigmoid(scores**2)
    return _of_active((share * terms).sum(dim=1), active)


def bpr(scores: Tensor, active: Tensor) -> Tensor:
    """−1/M Σ_j log σ(r_i − r_j); the target's own column stays in the mean (Rendle et al., 2009; GRU4Rec's code)."""
    columns = active_columns(active, scores.shape[1])
    terms = torch.nn.functional.logsigmoid(_target(scores) - scores)
    return _of_active(-(terms * columns).sum(dim=1) / columns.sum(), active)


def bpr_max(scores: Tensor, active: Tensor, regularisation: float = 1.0) -> Tensor:
    """−log Σ_j s_j σ(r_i − r_j) + λ Σ_j s_j r_j² over the negatives, s = softmax of their scores
    (Hidasi & Karatzoglou, 2018)."""
    share = _softmax_of_negatives(scores, active)
    likelihood = (share * torch.sigmoid(_target(scores) - scores)).sum(dim=1)
    penalty = (share * scores**2).sum(dim=1)
    return _of_active(-torch.log(likelihood + TINY) + regularisation * penalty, active)


def cross_entropy(scores: Tensor, active: Tensor) -> Tensor:
    """−log softmax(r)_i over the active columns; its softmax is the activation, so f should be linear."""
    columns = active_columns(active, scores.shape[1]).bool()
    chances = scores.masked_fill(~columns, -torch.inf).log_softmax(dim=1)
    return _of_active(-_target(chances)[:, 0], active)


def active_columns(active: Tensor, num_columns: int) -> Tensor:
    """1 for the active slots' targets and for every sampled negative, else 0, (M,)."""
    return torch.cat([active, active.new_ones(num_columns - len(active))])


def _target(scores: Tensor) -> Tensor:
    """The targets' scores, (B, 1)."""
    return scores.diagonal()[:, None]


def _softmax_of_negatives(scores: Tensor, active: Tensor) -> Tensor:
    """Softmax over each slot's negatives, (B, M); 0 for its target and for idle slots' columns."""
    is_negative = active_columns(active, scores.shape[1]).bool().expand_as(scores).clone()
    is_negative.diagonal().fill_(False)
    return scores.masked_fill(~is_negative, -torch.inf).softmax(dim=1)


def _of_active(losses: Tensor, active: Tensor) -> Tensor:
    # `where`, not a product, as an idle slot's loss may be NaN or infinite.
    return torch.where(active[: len(losses)] > 0, losses, 0)


LOSSES = {each.__name__: each for each in (top1, top1_max, bpr, bpr_max, cross_entropy)}
