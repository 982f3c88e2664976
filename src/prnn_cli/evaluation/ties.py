"""Ties: which logits score the same as the target, and what a tie does to the target's rank.

A network's ranks are counted by its logits: the final activation f never decreases, so nothing is gained by computing
it for every candidate. But f is not invertible in floats. Where it saturates, such as tanh beyond 9, very many logits
have the same score, and elsewhere neighbouring floats may. So the range of logits is sought whose score equals the
target's: a candidate above this range is better, one within it is a tie.
"""

import numpy as np
import torch
from torch import Tensor

from prnn_cli.networks.network import Activation

NEAR_BY = 2**10  # floats, within which the score changes unless f saturates
_INFINITY = 0x7F800000  # its place in the order of floats


def equal_range(activation: Activation | None, logits: Tensor) -> tuple[Tensor, Tensor]:
    """The lowest and the highest float32 (n,) with the same score as each of `logits` (n,).

    activation: f, which never decreases; None where the logits are the scores

    Bisects the floats by their places in the order of all floats, so that 32 halvings are enough however far f
    saturates; where it does not, the ends lie near by and a few are. A NaN, which is refused later, gets some range.
    """
    if activation is None:
        return logits, logits
    logits = torch.where(logits.isnan(), 0, logits)
    scores = activation(logits)
    same = _place(logits).expand(2, -1)
    direction = torch.tensor([[-1], [1]])
    end = (same + direction * NEAR_BY).clamp(-_INFINITY, _INFINITY)
    saturated = activation(_at_place(end)) == scores
    end = torch.where(saturated, direction * _INFINITY, end)
    for _ in range(32 if bool(saturated.any()) else NEAR_BY.bit_length()):
        middle = same + torch.div(end - same + direction, 2, rounding_mode="trunc")
        equal = activation(_at_place(middle)) == scores
        same, end = torch.where(equal, middle, same), torch.where(equal, end, middle - direction)
    low, high = _at_place(same)
    return low, high


def _place(values: Tensor) -> Tensor:
    """(n,) float32 -> their places in the order of all floats, 0 for 0; int64, so that distances do not overflow."""
    bits = values.contiguous().view(torch.int32).long()
    return torch.where(bits < 0, -(bits & 0x7FFFFFFF), bits)


def _at_place(places: Tensor) -> Tensor:
    """The floats at these places; undoes `_place`."""
    bits = torch.where(places < 0, -places - 2**31, places)
    return bits.int().view(torch.float32)


def rank(better: np.ndarray, equal: np.ndarray, tie_break: str) -> np.ndarray:
    """(E,) ranks: standard 1 + better, conservative 1 + better + equal, median 1 + better + equal / 2.

    The three modes of the public GRU4Rec evaluation.
    """
    share_of_ties = {"standard": 0.0, "median": 0.5, "conservative": 1.0}[tie_break]
    return 1 + better + share_of_ties * equal


def tie_rate(equal: np.ndarray) -> float:
    """The share of events whose target scored the same as another candidate, where the tie mode decides."""
    return float(np.mean(equal > 0))
