"""What a subnet is fed: each input projects the clicked items to the three gates of a GRU."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from prnn_cli.networks.parameters import gate_blocks


class Input(Protocol):
    @property
    def name(self) -> str: ...

    def initial_weight(self, hidden_size: int, generator: torch.Generator) -> Tensor:
        """A row table: rows of 3H columns, r, z and c side by side."""

    def project(self, rows: Tensor) -> Tensor:
        """The rows that the clicked items touch -> x·W, (B, 3H)."""


@dataclass(frozen=True)
class OneHot:
    """The clicked item's ID: x·W is the gather of one row."""

    num_items: int
    name: str = "id"

    def initial_weight(self, hidden_size: int, generator: torch.Generator) -> Tensor:
        return gate_blocks(self.num_items, hidden_size, 3, generator)

    def project(self, rows: Tensor) -> Tensor:
        return rows
