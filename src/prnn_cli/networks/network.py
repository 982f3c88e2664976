"""The network: subnets, a readout and a final activation, as data, and its forward pass as pure functions."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial

import torch
from torch import Tensor

from prnn_cli.batching import OUTPUT, TIED, Clicks
from prnn_cli.networks.inputs import CLICKED, VECTORS, Tied
from prnn_cli.networks.readouts import SHARED, Readout, initial_tables, logits, multipliers
from prnn_cli.networks.row_readers import RowReader
from prnn_cli.networks.subnet import Subnet
from prnn_cli.system.randomness import generator_for
from prnn_cli.system.tree import map_tensors


def elu(logits: Tensor, alpha: float) -> Tensor:
    """x, or α (exp(x) − 1) where x < 0: GRU4Rec's elu-0.5 and elu-1."""
    # torch's own elu rounds by the place of a value in memory, so that equal logits could have different scores.
    return torch.relu(logits) + alpha * torch.expm1(logits.clamp(max=0))


Activation = Callable[[Tensor], Tensor]

# The final activation f; none of them ever decreases, and ranking relies on it.
ACTIVATIONS: dict[str, Activation] = {
    "tanh": torch.tanh,
    "linear": lambda logits: logits,
    "elu": partial(elu, alpha=0.5),
    "elu_1": partial(elu, alpha=1.0),
}


@dataclass(frozen=True)
class Network:
    """A network's structure. It holds no parameters: these are a flat dict of tensors, which its methods are handed.

    Their names begin with what owns them: `subnets.NAME.` or `readout.NAME`. `leaves` in the methods below are the
    parameters, but of a table the rows alone that the clicks touch, or whose scores are asked for.
    """

    subnets: tuple[Subnet, ...]
    readout: Readout
    activation: str
    num_items: int

    def initial_parameters(self, seed: int) -> dict[str, Tensor]:
        """Parameters to start from, by name. Those of a subnet do not depend on the others beside it."""
        parameters: dict[str, Tensor] = {}
        for subnet in self.subnets:
            parameters |= subnet.initial_parameters(generator_for(seed, subnet.name))
        return parameters | initial_tables(self.readout, self.num_items, seed)

    def parameters_without_values(self) -> dict[str, Tensor]:
        """The parameters' names, shapes and types, on torch's `meta` device: nothing is drawn or allocated."""
        with torch.device("meta"):
            subnets = map_tensors(lambda each: each.to("meta"), self.subnets)
            return replace(self, subnets=subnets).initial_parameters(seed=0)

    @cached_property
    def row_tables(self) -> dict[str, str]:
        """The parameters that are tables, of which a step touches a few rows alone, each with the kind of these rows:
        the name of a reader, OUTPUT for the items whose scores are asked for, TIED for these and the clicked ones."""
        tables = dict.fromkeys(self.readout.tables, OUTPUT)
        if self.tied_table:
            tables[self.tied_table] = TIED
        for subnet in self.subnets:
            tables |= {name: reader.name for name, reader in subnet.row_tables.items()}
        return tables

    @cached_property
    def tied_table(self) -> str | None:
        """The output table that clicks read too, if there is one."""
        tied = (each.table for subnet in self.subnets for each in subnet.inputs if isinstance(each, Tied))
        return next(tied, None)

    def with_clicked_rows(
        self, leaves: Mapping[str, Tensor], clicks: Clicks, whole: bool
    ) -> Mapping[str, Tensor]:
        """The leaves with the clicked rows of the tied table apart from those that are scored.

        whole: whether the table's leaf is all of it, and not the scored rows followed by the clicked ones
        """
        table = leaves.get(self.tied_table or "")
        if table is None:
            return leaves
        num_scored = len(table) - (0 if whole else len(clicks.items))
        clicked = table.index_select(0, clicks.items) if whole else table[num_scored:]
        return {**leaves, f"{self.tied_table}": table[:num_scored], f"{self.tied_table}{CLICKED}": clicked}

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
        """Readers by name; inputs whose rows have the same name share one."""
        return {reader.name: reader for subnet in self.subnets for reader in subnet.row_tables.values()}

    @property
    def reads_vary(self) -> bool:
        """Whether some clicks touch more rows than others."""
        return any(reader.reads_vary for reader in self._readers.values())

    def num_rows(self, items: Tensor) -> dict[str, int]:
        """The most rows that a step touches, by reader, for clicked items (T, B)."""
        return {name: reader.num_rows(items) for name, reader in self._readers.items()}

    def clicks(self, items: Tensor, num_rows: Mapping[str, int] | None = None) -> Clicks:
        """Clicked items (T, B) with the rows that they touch, padded to `num_rows` (by reader)."""
        num_rows = num_rows or self.num_rows(items)
        rows = {name: reader.rows(items, num_rows[name]) for name, reader in self._readers.items()}
        return Clicks(items, rows)

    def initial_carry(self, num_slots: int, device: torch.device | str) -> dict[str, Tensor]:
        """The hidden states (B, H) of slots that have seen nothing, by subnet."""
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
        """The new state (B, H) of each subnet that `carry` holds; `keep_masks`: dropout of those that learn."""
        keep_masks = keep_masks or {}
        return {
            subnet.name: subnet.step(
                leaves, carry[subnet.name], clicks, new_session, keep_masks.get(subnet.name), keep_masks
            )
            for subnet in self.subnets
            if subnet.name in carry
        }

    def scores(self, leaves: Mapping[str, Tensor], hidden: Mapping[str, Tensor]) -> Tensor:
        """The scores (B, n): f of the logits, for the n rows of each output table in `leaves`."""
        return ACTIVATIONS[self.activation](logits(self.readout, leaves, hidden))

    def scoring_tables(self, hidden: Mapping[str, Tensor]) -> list[str]:
        """The output tables that count where these subnets score, in the order of `multipliers`."""
        return [table for table, _ in multipliers(self.readout, hidden)]

    def multipliers(self, hidden: Mapping[str, Tensor]) -> Tensor:
        """What the rows of the scoring tables, side by side, are multiplied with, (B, D)."""
        return torch.cat([multiplier for _, multiplier in multipliers(self.readout, hidden)], dim=1)
