"""The network: subnets and a readout, as data, and one pure forward."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from prnn_cli.networks.readouts import Separate
from prnn_cli.networks.subnet import Subnet

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "linear": lambda logits: logits}


@dataclass(frozen=True)
class Network:
    """Parameters are a flat dict of tensors. `row_tables` are those of which a step touches a few rows: by the
    clicked items (`input_items` of the batch) or by the items whose scores are asked for (`output_items`)."""

    subnets: tuple[Subnet, ...]
    readout: Separate
    activation: str

    def initial_parameters(self, generator: torch.Generator) -> dict[str, Tensor]:
        parameters: dict[str, Tensor] = {}
        for subnet in self.subnets:
            parameters |= subnet.initial_parameters(generator)
        return parameters | self.readout.initial_parameters(generator)

    @cached_property
    def row_tables(self) -> dict[str, str]:
        inputs = {subnet.input_table(source): "input" for subnet in self.subnets for source in subnet.inputs}
        return inputs | dict.fromkeys(self.readout.tables, "output")

    def owner(self, parameter: str) -> str:
        """The subnet whose learning settings a parameter follows."""
        return parameter.split(".")[1]

    def initial_carry(self, num_slots: int, device: torch.device | str) -> dict[str, Tensor]:
        return {
            subnet.name: torch.zeros(num_slots, subnet.hidden_size, device=device) for subnet in self.subnets
        }

    def advance(
        self,
        leaves: Mapping[str, Tensor],
        carry: Mapping[str, Tensor],
        new_session: Tensor,
        dropout: Mapping[str, Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """The new state (B, H) of each subnet that `carry` holds; `dropout` masks (B, H) for those that learn."""
        dropout = dropout or {}
        return {
            subnet.name: subnet.step(leaves, carry[subnet.name], new_session, dropout.get(subnet.name))
            for subnet in self.subnets
            if subnet.name in carry
        }

    def scores(self, leaves: Mapping[str, Tensor], hidden: Mapping[str, Tensor]) -> Tensor:
        """f of the logits, (B, n), for the rows of the output tables in `leaves`."""
        return ACTIVATIONS[self.activation](self.readout.logits(leaves, hidden))
