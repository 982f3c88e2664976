"""A trained network as the evaluator sees it: fed a click in each slot, asked for scores."""

from collections.abc import Mapping

import torch
from torch import Tensor

from prnn_cli.networks.network import Network


class NetworkScorer:
    name = "network"

    def __init__(self, network: Network, parameters: Mapping[str, Tensor]) -> None:
        self.network = network
        self.parameters = parameters
        self.carry: dict[str, Tensor] = {}

    def reset(self, num_slots: int) -> None:
        device = next(iter(self.parameters.values())).device
        self.carry = self.network.initial_carry(num_slots, device)

    @torch.inference_mode()
    def advance(self, items: Tensor, new_session: Tensor) -> None:
        clicks = self.network.clicks(items[None]).unbind()[0]
        leaves = {}
        for name, value in self.parameters.items():
            table = self.network.row_tables.get(name)
            if table != "output":
                leaves[name] = value[clicks.rows[table].index] if table else value
        self.carry = self.network.advance(leaves, self.carry, clicks, new_session)

    @torch.inference_mode()
    def scores(self, items: slice | Tensor) -> Tensor:
        tables = self.network.readout.tables
        return self.network.scores({name: self.parameters[name][items] for name in tables}, self.carry)
