"""The network: subnets and a readout, as data, and one pure forward."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from prnn_cli.batching import Clicks
from prnn_cli.networks.inputs import VECTORS
from prnn_cli.networks.readouts import SHARED, Readout, initial_tables, logits, multipliers
from prnn_cli.networks.row_readers import RowReader
from prnn_cli.networks.subnet import Subnet
from prnn_cli.system.randomness import generator_for
from prnn_cli.system.tree import map_tensors


def elu(logits: Tensor) -> Tensor:
    """GRU4Rec's elu-0.5: x, or 0.5 (exp(x) − 1) where x < 0. torch's own rounds by the place of a value in memory."""
    return torch.relu(logits) + 0.5 * torch.expm1(logits.clamp(max=0))


Activation = Callable[[Tensor], Tensor]

# The final activation f; none of them ever decreases, and ranking relies on it.
ACTIVATIONS: dict[str, Activation] = {
    "tanh": torch.tanh,
    "linear": lambda logits: logits,
    "elu": elu,
}


@dataclass(frozen=True)
class Network:
    """Parameters are a flat dict of tensors. `row_tables` are those of which a step touches a few rows, and whose:
    those of the clicks (by input) or of the items whose scores are asked for (`output`)."""

    subnets: tuple[Subnet, ...]
    readout: Readout
    activation: str
    num_items: int

    def initial_parameters(self, seed: int) -> dict[str, Tensor]:
        """What a subnet starts from does not depend on the others beside it."""
        parameters: dict[str, Tensor] = {}
        for subnet in self.subnets:
            parameters |= subnet.initial_parameters(generator_for(seed, subnet.name))
        return parameters | initial_tables(self.readout, self.num_items, seed)

    def parameters_without_values(self) -> dict[str, Tensor]:
        """Names, shapes and types (torch's `meta` device), for which nothing is drawn or allocated."""
        with torch.device("meta"):
            subnets = map_tensors(lambda each: each.to("meta"), self.subnets)
            return replace(self, subnets=subnets).initial_parameters(seed=0)

    @cached_property
    def row_tables(self) -> dict[str, str]:
        tables = dict.fromkeys(self.readout.tables, "output")
        for subnet in self.subnets:
            tables |= {name: reader.name for name, reader in subnet.row_tables.items()}
        return tables

    def owner(self, parameter: str) -> str:
        """The subnet that a parameter belongs to; `output` for what all subnets share."""
        return parameter.split(".")[1]

    def learning_group(self, parameter: str) -> str:
        """Whose learning settings a parameter follows: its owner's, or those of the owner's item vectors."""
        owner = self.owner(parameter)
        return owner + VECTORS if parameter.endswith(VECTORS) else owner

    def takes_part(self, parameter: str, subnets: Container[str]) -> bool:
        """Whether a parameter scores, or learns, when these subnets do: the shared ones always."""
        owner = self.owner(parameter)
        return owner == SHARED or owner in subnets

    @cached_property
    def _readers(self) -> dict[str, RowReader]:
        """Readers by the name of what they read."""
        return {reader.name: reader for subnet in self.subnets for reader in subnet.row_tables.values()}

    @property
    def reads_vary(self) -> bool:
        return any(reader.reads_vary for reader in self._readers.values())

    def num_rows(self, items: Tensor) -> dict[str, int]:
        """(T, B) clicked items -> the most rows that a step reads of each input's tables."""
        return {name: reader.num_rows(items) for name, reader in self._readers.items()}

    def clicks(self, items: Tensor, num_rows: Mapping[str, int] | None = None) -> Clicks:
        """(T, B) clicked items, with the rows that the inputs read for them, padded to `num_rows`."""
        num_rows = num_rows or self.num_rows(items)
        rows = {name: reader.rows(items, num_rows[name]) for name, reader in self._readers.items()}
        return Clicks(items, rows)

    def initial_carry(self, num_slots: int, device: torch.device | str) -> dict[str, Tensor]:
        return {
            subnet.name: torch.zeros(num_slots, subnet.hidden_size, device=device) for subnet in self.subnets
        }

    def advance(
        self,
        leaves: Mapping[str, Tensor],
        carry: Mapping[str, Tensor],
        clicks: Clicks,
        new_session: Tensor,
        keep_masks: Mapping[str, Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """The new state (B, H) of each subnet that `carry` holds; `keep_masks` (B, H): dropout of those that learn."""
        keep_masks = keep_masks or {}
        return {
            subnet.name: subnet.step(
                leaves, carry[subnet.name], clicks, new_session, keep_masks.get(subnet.name)
            )
            for subnet in self.subnets
            if subnet.name in carry
        }

    def scores(self, leaves: Mapping[str, Tensor], hidden: Mapping[str, Tensor]) -> Tensor:
        """f of the logits, (B, n), for the rows of the output tables in `leaves`."""
        return ACTIVATIONS[self.activation](logits(self.readout, leaves, hidden))

    def scoring_tables(self, hidden: Mapping[str, Tensor]) -> list[str]:
        """The output tables that count where these subnets score, in the order of `multipliers`."""
        return [table for table, _ in multipliers(self.readout, hidden)]

    def multipliers(self, hidden: Mapping[str, Tensor]) -> Tensor:
        """(B, D): what the rows of the scoring tables, side by side, are multiplied with."""
        return torch.cat([multiplier for _, multiplier in multipliers(self.readout, hidden)], dim=1)
