"""A trained network folded for use: what a click adds to each subnet's gates stands in a table, item by item.

All that a click on item i contributes is x_i·W + b of each subnet, whatever its inputs are: an ID, an image, a text.
After training none of it changes, so it is computed once, (N, 3H), and a click is then the gather of a row.

Shapes: B slots, N items, H hidden size, D columns of all output tables together.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from prnn_cli.networks.gru import gru_cell
from prnn_cli.networks.network import ACTIVATIONS, Activation, Network
from prnn_cli.networks.standing import empty_table, fill


@dataclass(frozen=True, eq=False)
class FoldedSubnet:
    """A GRU and what it is fed by a click on each item.

    inputs: (N, 3H), x·W + b for r, z and c side by side; recurrent_gates: (H, 2H); recurrent_candidate: (H, H)
    """

    name: str
    inputs: Tensor
    recurrent_gates: Tensor
    recurrent_candidate: Tensor

    def step(self, items: Tensor, hidden: Tensor) -> Tensor:
        """The state (B, H) after a click on `items` (B,), from the state `hidden` (B, H)."""
        x = self.inputs.index_select(0, items)
        return gru_cell(x, hidden, self.recurrent_gates, self.recurrent_candidate)


@dataclass(frozen=True, eq=False)
class FoldedNetwork:
    """A trained network that needs neither features nor parameters: its states, and the logits of all items.

    network: its structure; subnets: in its order
    item_vectors: (N, D), the rows of all output tables side by side, biases among them
    """

    network: Network
    subnets: tuple[FoldedSubnet, ...]
    item_vectors: Tensor

    @property
    def num_items(self) -> int:
        return len(self.item_vectors)

    def initial_states(self, num_slots: int) -> dict[str, Tensor]:
        """The states (B, H) of slots that have seen nothing, by subnet."""
        return self.network.initial_carry(num_slots, self.item_vectors.device)

    def after(self, items: Tensor, states: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The states (B, H) after a click of each slot on `items` (B,)."""
        return {subnet.name: subnet.step(items, states[subnet.name]) for subnet in self.subnets}

    def session_vectors(self, states: Mapping[str, Tensor]) -> Tensor:
        """The slots' vectors (B, D); their products with the items' vectors are the logits (B, N)."""
        return self.network.multipliers(states)

    def scores_of(self, logits: Tensor) -> Tensor:
        """f of logits."""
        return ACTIVATIONS[self.network.activation](logits)

    def shares(self) -> Iterator[tuple[str, slice]]:
        """Each output table's part of the D columns, by its owner; a logit is the sum of the products of all parts."""
        start = 0
        for table in self.network.scoring_tables(self.initial_states(1)):
            end = start + self.network.readout.tables[table] + 1
            yield self.network.owner(table), slice(start, end)
            start = end


class FoldedScorer:
    """A folded network as a `Scorer`, and as a `LogitScorer`: the same as its `NetworkScorer`, in less time."""

    name = "network"

    def __init__(self, folded: FoldedNetwork) -> None:
        self.folded = folded
        self.states: dict[str, Tensor] = {}

    @property
    def activation(self) -> Activation | None:
        """f; None where the logits are the scores."""
        name = self.folded.network.activation
        return None if name == "linear" else ACTIVATIONS[name]

    def reset(self, num_slots: int) -> None:
        self.states = self.folded.initial_states(num_slots)

    @torch.no_grad()
    def advance(self, items: Tensor, new_session: Tensor) -> None:
        kept = {name: state.masked_fill(new_session[:, None], 0) for name, state in self.states.items()}
        self.states = self.folded.after(items, kept)

    @torch.no_grad()
    def scores(self, items: slice | Tensor) -> Tensor:
        return self.folded.scores_of(self.state_vectors() @ self.item_vectors(items).T)

    def item_vectors(self, items: slice | Tensor) -> Tensor:
        """The items' rows in all output tables, side by side, (n, D)."""
        return self.folded.item_vectors[items]

    @torch.no_grad()
    def state_vectors(self) -> Tensor:
        """What `item_vectors` are multiplied with to give the logits, (B, D)."""
        return self.folded.session_vectors(self.states)


def fold(network: Network, parameters: Mapping[str, Tensor]) -> FoldedNetwork:
    """A trained network and its parameters, folded."""
    some = next(iter(parameters.values()))
    inputs = {subnet.name: empty_table(network, subnet, some) for subnet in network.subnets}
    fill(inputs, network, parameters)
    subnets = tuple(
        FoldedSubnet(
            subnet.name,
            inputs[subnet.name],
            parameters[f"{subnet.prefix}recurrent_gates"],
            parameters[f"{subnet.prefix}recurrent_candidate"],
        )
        for subnet in network.subnets
    )
    states = network.initial_carry(1, some.device)
    tables = [parameters[table] for table in network.scoring_tables(states)]
    return FoldedNetwork(network, subnets, torch.cat(tables, dim=1))
