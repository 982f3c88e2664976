"""A subnet: one GRU and its inputs."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from prnn_cli.batching import Clicks
from prnn_cli.networks.gru import gru_cell
from prnn_cli.networks.initialisation import gate_blocks, uniform
from prnn_cli.networks.inputs import Input
from prnn_cli.networks.row_readers import RowReader


@dataclass(frozen=True)
class Subnet:
    """A GRU's structure, and the inputs whose projections it is fed the sum of; its parameters are handed to it."""

    name: str
    inputs: tuple[Input, ...]
    hidden_size: int
    weight: float  # w_k of the readout
    dropout: float = 0.0  # drop probability

    @property
    def prefix(self) -> str:
        """Begins the names of its parameters."""
        return f"subnets.{self.name}."

    def _input_name(self, source: Input) -> str:
        return f"{self.prefix}input.{source.name}"

    @property
    def row_tables(self) -> dict[str, RowReader]:
        """The parameters that are tables, of which a step touches a few rows alone, each with the reader of these."""
        tables: dict[str, RowReader] = {}
        for source in self.inputs:
            tables |= source.row_tables(self._input_name(source))
        return tables

    def initial_parameters(self, generator: torch.Generator) -> dict[str, Tensor]:
        hidden = self.hidden_size
        parameters: dict[str, Tensor] = {}
        for source in self.inputs:
            parameters |= source.initial_parameters(self._input_name(source), hidden, 3, generator)
        return parameters | {
            f"{self.prefix}recurrent_gates": gate_blocks(hidden, hidden, 2, generator),
            f"{self.prefix}recurrent_candidate": uniform(hidden, hidden, generator),
            f"{self.prefix}bias": torch.zeros(3 * hidden),
        }

    def step(
        self,
        leaves: Mapping[str, Tensor],
        hidden: Tensor,
        clicks: Clicks,
        new_session: Tensor,
        keep_mask: Tensor | None,
    ) -> Tensor:
        """The state (B, H) after a click, from the carried state `hidden` (B, H), of which nothing is left where
        `new_session` (B,).

        Inverted dropout of what is not in `keep_mask` (B, H): kept values are scaled, so that evaluation, without
        dropout, needs no scaling. The dropped state is also the one that is carried on, as in the reference code.
        """
        hidden = hidden.masked_fill(new_session[:, None], 0)
        x = leaves[f"{self.prefix}bias"]
        for source in self.inputs:
            x = x + source.project(self._input_name(source), leaves, clicks)
        hidden = gru_cell(
            x,
            hidden,
            leaves[f"{self.prefix}recurrent_gates"],
            leaves[f"{self.prefix}recurrent_candidate"],
        )
        return hidden if keep_mask is None else hidden * (keep_mask / (1 - self.dropout))
