"""Readouts: how the subnets' hidden states become the logits of the asked items (the paper's section 3).

Each output table is (N, H + 1): W and, as its last column, b, so that a step gathers and updates both at once.
h_k and w_k: hidden state and weight of subnet k.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from prnn_cli.networks.initialisation import uniform
from prnn_cli.networks.subnet import Subnet
from prnn_cli.system.randomness import generator_for

SHARED = "output"  # the owner of a table that belongs to no subnet alone


class Readout(Protocol):
    """A sum of products: of output tables, and of what each is multiplied with."""

    @property
    def tables(self) -> dict[str, int]:
        """Output tables by name, with the width H of W."""

    def terms(self, hidden: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor, float]]:
        """The summands (table, what is multiplied with it (B, H), weight), for the subnets that score."""


def initial_tables(readout: Readout, num_items: int, seed: int) -> dict[str, Tensor]:
    """The output tables to start from: W uniform, b 0."""
    return {
        name: F.pad(uniform(num_items, hidden_size, generator_for(seed, name)), (0, 1))
        for name, hidden_size in readout.tables.items()
    }


def logits(readout: Readout, leaves: Mapping[str, Tensor], hidden: Mapping[str, Tensor]) -> Tensor:
    """The logits (B, n): `leaves` holds rows (n, H + 1) of each table, `hidden` (B, H) of the subnets that score."""
    total: Tensor | None = None
    for table, multiplier in multipliers(readout, hidden):
        columns = leaves[table].T
        # (B, H + 1) @ (H + 1, n) -> (B, n)
        total = multiplier @ columns if total is None else torch.addmm(total, multiplier, columns)
    assert total is not None
    return total


def multipliers(readout: Readout, hidden: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Each table with what it is multiplied with, (B, H + 1): the weighted state, and the weight for b."""
    for table, state, weight in readout.terms(hidden):
        yield table, torch.cat([weight * state, state.new_full((state.shape[0], 1), weight)], dim=1)


def table_of(name: str) -> str:
    """The name of the output table of a subnet, or of the one that all share."""
    return f"readout.{name}"


@dataclass(frozen=True)
class Separate:
    """Σ_k w_k (W_k h_k + b_k): Parallel, and every network of one subnet."""

    subnets: Sequence[Subnet]

    @property
    def tables(self) -> dict[str, int]:
        return {table_of(subnet.name): subnet.hidden_size for subnet in self.subnets}

    def terms(self, hidden: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor, float]]:
        for subnet in self.subnets:
            if subnet.name in hidden:
                yield table_of(subnet.name), hidden[subnet.name], subnet.weight


@dataclass(frozen=True)
class Shared:
    """W Σ_k w_k h_k + b: Parallel shared-W. All hidden sizes are equal."""

    subnets: Sequence[Subnet]

    @property
    def tables(self) -> dict[str, int]:
        return {table_of(SHARED): self.subnets[0].hidden_size}

    def terms(self, hidden: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor, float]]:
        states = [subnet.weight * hidden[subnet.name] for subnet in self.subnets if subnet.name in hidden]
        yield table_of(SHARED), sum(states[1:], start=states[0]), 1.0


@dataclass(frozen=True)
class Interaction:
    """w_1 (W_1 h_1 + b_1) + Σ_{k>1} w_k (W_k (h_1 ∘ h_k) + b_k): Parallel interaction.

    The first subnet is that of the ID. All hidden sizes are equal.
    """

    subnets: Sequence[Subnet]

    @property
    def tables(self) -> dict[str, int]:
        return {table_of(subnet.name): subnet.hidden_size for subnet in self.subnets}

    def terms(self, hidden: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor, float]]:
        primary, *others = self.subnets
        yield table_of(primary.name), hidden[primary.name], primary.weight
        for subnet in others:
            if subnet.name in hidden:
                yield table_of(subnet.name), hidden[primary.name] * hidden[subnet.name], subnet.weight


READOUTS: dict[str, Callable[[Sequence[Subnet]], Readout]] = {
    "separate": Separate,
    "shared": Shared,
    "interaction": Interaction,
}
