"""Readouts: the subnets' hidden states -> logits of the asked items."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from prnn_cli.networks.parameters import uniform
from prnn_cli.networks.subnet import Subnet


@dataclass(frozen=True)
class Separate:
    """Σ_k w_k (W_k h_k + b_k): an output table for each subnet (section 3, Parallel; footnote 3)."""

    subnets: Sequence[Subnet]
    num_items: int

    @staticmethod
    def table(subnet: str) -> str:
        return f"readout.{subnet}"

    @property
    def tables(self) -> list[str]:
        return [self.table(subnet.name) for subnet in self.subnets]

    def initial_parameters(self, generator: torch.Generator) -> dict[str, Tensor]:
        """(N, H + 1): W_k and, as the last column, b_k."""
        return {
            self.table(subnet.name): F.pad(uniform(self.num_items, subnet.hidden_size, generator), (0, 1))
            for subnet in self.subnets
        }

    def logits(self, leaves: Mapping[str, Tensor], hidden: Mapping[str, Tensor]) -> Tensor:
        """Rows (n, H + 1) of each table, states (B, H) of the subnets that score -> (B, n)"""
        terms = [
            subnet.weight
            * (F.pad(hidden[subnet.name], (0, 1), value=1.0) @ leaves[self.table(subnet.name)].T)
            for subnet in self.subnets
            if subnet.name in hidden
        ]
        return torch.stack(terms).sum(dim=0) if len(terms) > 1 else terms[0]
