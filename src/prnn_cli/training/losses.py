"""Losses over a mini-batch's scores, one function each.

scores: (B, M), column i < B is slot i's target, so that the other slots' targets are its in-batch negatives;
further columns are the sampled negatives. Where processes share a mini-batch, B are the own slots, and the targets of
the others' slots stand between both.
active: float, 1 for the slots with a target, which stands in a column, 0 for idle ones. Returns (B,), 0 where the slot
is idle.
r_i: the target's score; j runs over the M active columns, or over the negatives, which are those but i.

What else a loss can be given, its signature says: `targets` (B,), where each item is a column and slot i's target
stands in column targets[i]; `correction` (M,), to be subtracted from the columns' scores; and the options of the recipe
that have the names of its arguments.
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


def cross_entropy(
    scores: Tensor,
    active: Tensor,
    targets: Tensor | None = None,
    correction: Tensor | None = None,
    label_smoothing: float = 0.0,
) -> Tensor:
    """−(1 − ε) log p_i − ε/M Σ_j log p_j, p = softmax(r) over the active columns, ε = `label_smoothing`.

    Its softmax is the activation, so f should be linear. The correction is that of `logq.py`. (Smoothing: Szegedy et
    al., 2016; its uniform part is over the M columns.)
    """
    columns = active_columns(active, scores.shape[1], targets)
    if correction is not None:
        scores = scores - correction
    if targets is None:
        scores = scores + torch.log(columns)
    chances = scores.log_softmax(dim=1)
    losses = -_target(chances, targets)[:, 0]
    if label_smoothing > 0:
        uniform = -torch.where(columns.bool(), chances, 0).sum(dim=1) / columns.sum()
        losses = (1 - label_smoothing) * losses + label_smoothing * uniform
    return _of_active(losses, active)


def gbce(
    scores: Tensor,
    active: Tensor,
    targets: Tensor | None = None,
    calibration: float = 0.0,
    sampling_rate: float = 1.0,
) -> Tensor:
    """−β log σ(r_i) − Σ_j log(1 − σ(r_j)) over the negatives j, β = α (t (1 − 1/α) + 1/α), t = `calibration`,
    α = `sampling_rate`: the share of the catalogue that a full mini-batch has as negatives (gBCE; Petrov & Macdonald,
    2023).

    t = 0 is binary cross-entropy; t = 1 takes out that negatives are sampled, which makes all scores too large. Not
    divided by the number of columns, as the paper's: Adagrad's steps are the same, but for their ε.
    """
    positive_weight = calibration * (sampling_rate - 1) + 1  # β, without a division by α
    columns = active_columns(active, scores.shape[1], targets)
    target = _target(scores, targets)
    of_all = (torch.nn.functional.softplus(scores) * columns).sum(dim=1)  # −log(1 − σ(r)) = softplus(r)
    of_target = torch.nn.functional.softplus(target) + positive_weight * torch.nn.functional.logsigmoid(
        target
    )
    return _of_active(of_all - of_target[:, 0], active)


def active_columns(active: Tensor, num_columns: int, targets: Tensor | None = None) -> Tensor:
    """1 for the active slots' targets and for every sampled negative, else 0, (M,); 1 for each item with `targets`."""
    if targets is not None:
        return active.new_ones(num_columns)
    return torch.cat([active, active.new_ones(num_columns - len(active))])


def _target(scores: Tensor, targets: Tensor | None = None) -> Tensor:
    """The targets' scores, (B, 1)."""
    return scores.diagonal()[:, None] if targets is None else scores.gather(1, targets[:, None])


def _softmax_of_negatives(scores: Tensor, active: Tensor) -> Tensor:
    """Softmax over each slot's negatives, (B, M); 0 for its target and for idle slots' columns."""
    # A sum, not masked_fill: compiled loops would read a matrix of bool value by value.
    others = torch.log(active_columns(active, scores.shape[1])).expand_as(scores).clone()
    others.diagonal().fill_(-torch.inf)
    return (scores + others).softmax(dim=1)


def _of_active(losses: Tensor, active: Tensor) -> Tensor:
    # `where`, not a product, as an idle slot's loss may be NaN or infinite.
    return torch.where(active[: len(losses)] > 0, losses, 0)


LOSSES = {each.__name__: each for each in (top1, top1_max, bpr, bpr_max, cross_entropy, gbce)}
