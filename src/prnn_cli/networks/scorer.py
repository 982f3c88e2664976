"""A trained network as the evaluator sees it: fed a click in each slot, asked for scores."""

from collections.abc import Callable, Container, Mapping

import torch
from torch import Tensor

from prnn_cli.networks.network import ACTIVATIONS, Network
from prnn_cli.system.tree import unbind


class NetworkScorer:
    name = "network"

    def __init__(
        self, network: Network, parameters: Mapping[str, Tensor], subnets: Container[str] | None = None
    ) -> None:
        """subnets: those that score; None: all"""
        self.network = network
        self.subnets = subnets
        self.parameters = parameters
        self.carry: dict[str, Tensor] = {}

    def reset(self, num_slots: int) -> None:
        device = next(iter(self.parameters.values())).device
        carry = self.network.initial_carry(num_slots, device)
        self.carry = {
            name: state for name, state in carry.items() if self.subnets is None or name in self.subnets
        }

    @torch.no_grad()
    def advance(self, items: Tensor, new_session: Tensor) -> None:
        clicks = unbind(self.network.clicks(items[None]))[0]
        leaves = {}
        for name, value in self.parameters.items():
            table = self.network.row_tables.get(name)
            if table != "output":
                leaves[name] = value[clicks.rows[table].index] if table else value
        self.carry = self.network.advance(leaves, self.carry, clicks, new_session)

    @torch.no_grad()
    def scores(self, items: slice | Tensor) -> Tensor:
        rows = {name: self.parameters[name][items] for name in self.network.readout.tables}
        return self.network.scores(rows, self.carry)

    def item_vectors(self, items: slice | Tensor) -> Tensor:
        """(n, D): the items' rows in all output tables of the subnets that score, side by side."""
        rows = [self.parameters[name][items] for name in self.network.scoring_tables(self.carry)]
        return rows[0] if len(rows) == 1 else torch.cat(rows, dim=1)

    @torch.no_grad()
    def state_vectors(self) -> Tensor:
        """(B, D): what is multiplied with `item_vectors`."""
        return self.network.multipliers(self.carry)

    @torch.no_grad()
    def equal_range(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """The lowest and the highest logits with the same scores as these: where f saturates, they lie far apart."""
        if self.network.activation == "linear":
            return logits, logits
        return equal_range(ACTIVATIONS[self.network.activation], logits)


def equal_range(f: Callable[[Tensor], Tensor], logits: Tensor) -> tuple[Tensor, Tensor]:
    """The lowest and the highest float32 (n,) at which f, which never decreases, is as at `logits`: by bisection
    of their places in the order of all floats, first near by, farther where f saturates."""
    logits = torch.where(logits.isnan(), 0, logits)  # whose ranks are refused later
    scores = f(logits)
    same = _place(logits).expand(2, -1)
    direction = torch.tensor([[-1], [1]])
    end = (same + direction * NEAR_BY).clamp(-_INFINITY, _INFINITY)
    saturated = f(_at_place(end)) == scores
    end = torch.where(saturated, direction * _INFINITY, end)
    for _ in range(32 if bool(saturated.any()) else NEAR_BY.bit_length()):
        middle = same + torch.div(end - same + direction, 2, rounding_mode="trunc")
        equal = f(_at_place(middle)) == scores
        same, end = torch.where(equal, middle, same), torch.where(equal, end, middle - direction)
    low, high = _at_place(same)
    return low, high


NEAR_BY = 2**10  # floats
_INFINITY = 0x7F800000  # its place in the order of floats


def _place(values: Tensor) -> Tensor:
    """(n,) float32 -> their places in the order of all floats, 0 for 0; int64, so that distances do not overflow."""
    bits = values.contiguous().view(torch.int32).long()
    return torch.where(bits < 0, -(bits & 0x7FFFFFFF), bits)


def _at_place(places: Tensor) -> Tensor:
    bits = torch.where(places < 0, -places - 2**31, places)
    return bits.int().view(torch.float32)
