"""A trained network as the evaluator sees it: fed a click in each slot, asked for scores."""

from collections.abc import Callable, Container, Mapping

import torch
from torch import Tensor

from prnn_cli.networks.network import ACTIVATIONS, Network


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
        clicks = self.network.clicks(items[None]).unbind()[0]
        leaves = {}
        for name, value in self.parameters.items():
            table = self.network.row_tables.get(name)
            if table != "output":
                leaves[name] = value[clicks.rows[table].index] if table else value
        self.carry = self.network.advance(leaves, self.carry, clicks, new_session)

    @torch.no_grad()
    def scores(self, items: slice | Tensor) -> Tensor:
        return self.network.scores(self.tables(items), self.carry)

    def tables(self, items: slice | Tensor) -> dict[str, Tensor]:
        """The rows of the output tables, by name."""
        return {name: self.parameters[name][items] for name in self.network.readout.tables}

    @torch.no_grad()
    def logits(self, tables: Mapping[str, Tensor]) -> Tensor:
        return self.network.logits(tables, self.carry)

    @torch.no_grad()
    def equal_range(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """The lowest and the highest logits with the same scores as these: where f saturates, they lie far apart."""
        if self.network.activation == "linear":
            return logits, logits
        f = ACTIVATIONS[self.network.activation]
        return _last_equal(f, logits, -1), _last_equal(f, logits, 1)


def _last_equal(f: Callable[[Tensor], Tensor], logits: Tensor, direction: int) -> Tensor:
    """The float32 farthest from each of `logits`, up or down, at which f is the same: by bisection of their places in
    the order of all floats."""
    logits = torch.where(logits.isnan(), 0, logits)  # whose ranks are refused later
    scores = f(logits)
    near = _place(logits)
    far = torch.full_like(near, _INFINITY * direction)
    while bool((far - near).abs().amax() > 0):
        middle = near + torch.div(far - near + direction, 2, rounding_mode="trunc")
        same = f(_at_place(middle)) == scores
        near = torch.where(same, middle, near)
        far = torch.where(same, far, middle - direction)
    return _at_place(near)


_INFINITY = 0x7F800000  # its place in the order of floats


def _place(values: Tensor) -> Tensor:
    """(n,) float32 -> their places in the order of all floats, 0 for 0; int64, so that distances do not overflow."""
    bits = values.contiguous().view(torch.int32).long()
    return torch.where(bits < 0, -(bits & 0x7FFFFFFF), bits)


def _at_place(places: Tensor) -> Tensor:
    bits = torch.where(places < 0, -places - 2**31, places)
    return bits.int().view(torch.float32)
