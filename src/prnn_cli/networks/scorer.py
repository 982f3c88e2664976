"""The scorer of a network: a trained network as the evaluator sees it, fed a click in each slot, asked for scores."""

from collections.abc import Container, Mapping

import torch
from torch import Tensor

from prnn_cli.batching import OUTPUT, TIED, Clicks
from prnn_cli.networks.inputs import CLICKED
from prnn_cli.networks.network import ACTIVATIONS, Activation, Network
from prnn_cli.system.tree import unbind


class NetworkScorer:
    """A network and its parameters as a `Scorer` of the evaluator, and as a `LogitScorer`, which ranks faster."""

    name = "network"

    def __init__(
        self, network: Network, parameters: Mapping[str, Tensor], subnets: Container[str] | None = None
    ) -> None:
        """A scorer of all subnets, or of those in `subnets` alone."""
        self.network = network
        self.subnets = subnets
        self.parameters = parameters
        self.carry: dict[str, Tensor] = {}

    @property
    def activation(self) -> Activation | None:
        """f; None where the logits are the scores."""
        name = self.network.activation
        return None if name == "linear" else ACTIVATIONS[name]

    def reset(self, num_slots: int) -> None:
        device = next(iter(self.parameters.values())).device
        carry = self.network.initial_carry(num_slots, device)
        self.carry = {
            name: state for name, state in carry.items() if self.subnets is None or name in self.subnets
        }

    @torch.no_grad()
    def advance(self, items: Tensor, new_session: Tensor) -> None:
        clicks = unbind(self.network.clicks(items[None]))[0]
        leaves = leaves_of_clicks(self.network, self.parameters, clicks)
        self.carry = self.network.advance(leaves, self.carry, clicks, new_session)

    @torch.no_grad()
    def scores(self, items: slice | Tensor) -> Tensor:
        rows = {name: self.parameters[name][items] for name in self.network.readout.tables}
        return self.network.scores(rows, self.carry)

    def item_vectors(self, items: slice | Tensor) -> Tensor:
        """The items' rows in all output tables of the subnets that score, side by side, (n, D)."""
        rows = [self.parameters[name][items] for name in self.network.scoring_tables(self.carry)]
        return rows[0] if len(rows) == 1 else torch.cat(rows, dim=1)

    @torch.no_grad()
    def state_vectors(self) -> Tensor:
        """What `item_vectors` are multiplied with to give the logits, (B, D)."""
        return self.network.multipliers(self.carry)


def leaves_of_clicks(network: Network, parameters: Mapping[str, Tensor], clicks: Clicks) -> dict[str, Tensor]:
    """What clicks read of the parameters: of tables the clicked rows alone; no output table."""
    leaves = {}
    for name, value in parameters.items():
        kind = network.row_tables.get(name)
        if kind == TIED:
            leaves[name + CLICKED] = value[clicks.items]
        elif kind != OUTPUT:
            leaves[name] = value[clicks.rows[kind].index] if kind else value
    return leaves
