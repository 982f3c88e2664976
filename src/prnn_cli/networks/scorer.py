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
        self.carry = self.network.advance(self._leaves("input", items), self.carry, new_session)

    @torch.inference_mode()
    def scores(self, items: slice | Tensor) -> Tensor:
        return self.network.scores(self._leaves("output", items), self.carry)

    def _leaves(self, side: str, items: slice | Tensor) -> dict[str, Tensor]:
        tables = self.network.row_tables
        return {
            name: value[items] if name in tables else value
            for name, value in self.parameters.items()
            if tables.get(name, side) == side
        }
