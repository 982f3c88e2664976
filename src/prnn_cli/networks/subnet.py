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
    dropout: float = 0.0  # drop probability of the hidden state
    input_dropout: float = 0.0  # … of what it is fed

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

    def _input_mask_name(self, source: Input) -> str:
        return f"{self.name}.input.{source.name}"

    def masks(self, num_slots: int, num_rows: Mapping[str, int]) -> dict[str, tuple[tuple[int, ...], float]]:
        """The masks of dropout that a step takes, by name: their shape, and the probability that a value is kept.

        That of the hidden state has the subnet's name, which begins the others'.
        """
        found: dict[str, tuple[tuple[int, ...], float]] = {}
        if self.dropout > 0:
            found[self.name] = ((num_slots, self.hidden_size), 1 - self.dropout)
        if self.input_dropout > 0:
            found |= {
                self._input_mask_name(source): (
                    source.mask_shape(num_slots, num_rows),
                    1 - self.input_dropout,
                )
                for source in self.inputs
            }
        return found

    def step(
        self,
        leaves: Mapping[str, Tensor],
        hidden: Tensor,
        clicks: Clicks,
        new_session: Tensor,
        keep_mask: Tensor | None,
        input_masks: Mapping[str, Tensor] | None = None,
    ) -> Tensor:
        """The state (B, H) after a click, from the carried state `hidden` (B, H), of which nothing is left where
        `new_session` (B,).

        Inverted dropout where `keep_mask` (B, H) and `input_masks` (by name, as in `masks`) are 0: kept values are
        scaled, so that evaluation, without dropout, needs no scaling. The dropped state is also the one that is carried
        on, as in the reference code; what is dropped of an input is values of the vector before its product with W, as
        of an embedding there.
        """
        hidden = hidden.masked_fill(new_session[:, None], 0)
        hidden = gru_cell(
            self.fed(leaves, clicks, input_masks),
            hidden,
            leaves[f"{self.prefix}recurrent_gates"],
            leaves[f"{self.prefix}recurrent_candidate"],
        )
        return hidden if keep_mask is None else hidden * (keep_mask / (1 - self.dropout))

    def fed(
        self, leaves: Mapping[str, Tensor], clicks: Clicks, input_masks: Mapping[str, Tensor] | None = None
    ) -> Tensor:
        """What a click feeds the GRU, (B, 3H): the bias and the sum of the inputs' projections."""
        x = leaves[f"{self.prefix}bias"]
        for source in self.inputs:
            keep = (input_masks or {}).get(self._input_mask_name(source))
            keep = None if keep is None else keep / (1 - self.input_dropout)
            x = x + source.project(self._input_name(source), leaves, clicks, keep)
        return x
