"""The logQ correction: what sampling does to a column's part in a softmax is taken out of its score."""

import numpy as np
import torch
from torch import Tensor


class LogQ:
    """Looks up `strength` · log q_j of a step's columns, which cross-entropy subtracts from their scores.

    q_j is how often item j is expected among the step's columns that are made as its own is: as a target,
    num_slots · s_j / Σ s; as a sampled negative, num_sampled · s_j^α / Σ s^α, with the training support s. So the
    targets and the sampled negatives each estimate the sum over the whole catalogue without a bias, however many there
    are of either (Bengio & Senécal, 2008; Yi et al., 2019). GRU4Rec's code subtracts log s_j and α log s_j: the same
    within each kind, but the weight of one kind beside the other then depends on the size of the log.

    support: (num_items,) training events; what has none is no column
    """

    def __init__(
        self,
        support: np.ndarray,
        alpha: float,
        num_slots: int,
        num_sampled: int,
        strength: float,
        device: torch.device,
    ) -> None:
        events = np.asarray(support, dtype=np.float64)
        drawn = np.where(events > 0, events**alpha, 0)
        self._of_targets = _log_counts(num_slots, events, strength, device)
        self._of_sampled = _log_counts(num_sampled, drawn, strength, device)

    def correction(self, targets: Tensor, negatives: Tensor) -> Tensor:
        """(T, M) for the columns of T steps: targets (T, B), then sampled negatives (T, M − B)."""
        return torch.cat([self._of_targets[targets], self._of_sampled[negatives]], dim=1)


def _log_counts(number: int, weights: np.ndarray, strength: float, device: torch.device) -> Tensor:
    """`strength` · log of the expected counts among `number` draws with probability ∝ weights; 0 where never drawn."""
    expected = number * weights / weights.sum()
    logs = np.log(expected, out=np.zeros_like(expected), where=expected > 0)
    return torch.from_numpy((strength * logs).astype(np.float32)).to(device)
