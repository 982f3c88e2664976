"""Explanations: how much each subnet adds to the score of an item that is recommended.

A logit is the sum of the products of the output tables' rows with what each is multiplied with: in Parallel networks a
summand for each subnet, in Parallel interaction one of the ID alone and one of the ID with each feature. The shares are
these summands, exactly; the score is f of their sum.
"""

from collections.abc import Iterator

import numpy as np

from prnn_cli.errors import UserError
from prnn_cli.networks.folded import FoldedNetwork
from prnn_cli.networks.readouts import SHARED

BLOCK = 256  # sessions at a time: of a few MB


def check_explainable(network: FoldedNetwork) -> None:
    """Raises `UserError` where the subnets' states are summed before they score, so that no share is one's own."""
    if [name for name, _ in network.shares()] == [SHARED] and len(network.subnets) > 1:
        raise UserError(
            "explain=true needs an output table for each subnet, as arch=parallel and interaction have; here all "
            "subnets share one, so their shares in a score cannot be told apart"
        )


def shares_of(network: FoldedNetwork, vectors: np.ndarray, items: np.ndarray) -> dict[str, np.ndarray]:
    """The summands of the logits of `items` (S, n), by subnet, (S, n) each; vectors: the sessions' (S, D)."""
    rows = network.item_vectors.cpu().numpy()
    found = {name: np.empty(items.shape, dtype=np.float32) for name, _ in network.shares()}
    for block in _blocks(len(items)):
        of_items = rows[items[block]]  # (block, n, D)
        for name, columns in network.shares():
            found[name][block] = np.einsum("snd,sd->sn", of_items[:, :, columns], vectors[block, columns])
    return found


def _blocks(number: int) -> Iterator[slice]:
    for start in range(0, number, BLOCK):
        yield slice(start, start + BLOCK)
