"""Inputs: what a subnet is fed. Each projects the clicked items' vectors x to x·W, (B, 3H) for a GRU's three gates.

W is `num_blocks` blocks of `width` columns side by side: for a GRU three of H, for an embedding layer one of E.
Shapes: B slots, N items, F features, E the size of an embedding, n rows of a sparse input.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from prnn_cli.batching import Clicks
from prnn_cli.networks.initialisation import gate_blocks
from prnn_cli.networks.row_readers import ItemRows, RowReader, TermRows

VECTORS = ".vectors"  # ends the name of the parameter that holds an item's own vector
CLICKED = ".clicked"  # ends the name of the leaf with the clicked items' rows of an output table


def kept(values: Tensor, keep: Tensor | None) -> Tensor:
    """The values times what dropout leaves of them; all of them without dropout."""
    return values if keep is None else values * keep


class Input(Protocol):
    """A kind of item vectors. `prefix` is the name of W, and begins those of an input's other parameters."""

    @property
    def name(self) -> str:
        """Names the input within its subnet: `id`, or its source of features."""

    def row_tables(self, prefix: str) -> dict[str, RowReader]:
        """The parameters that are tables, of which a step touches a few rows alone, each with the reader of these."""

    def initial_parameters(
        self, prefix: str, width: int, num_blocks: int, generator: torch.Generator
    ) -> dict[str, Tensor]: ...

    def mask_shape(self, num_slots: int, num_rows: Mapping[str, int]) -> tuple[int, ...]:
        """The shape of a mask of dropout: whole terms where x is a list of these, else values of x. `num_rows`: a
        step's, by reader."""

    def project(
        self, prefix: str, leaves: Mapping[str, Tensor], clicks: Clicks, keep: Tensor | None = None
    ) -> Tensor:
        """x·W (B, num_blocks · width). `leaves`: whole parameters, and of tables the rows that the clicks touch.

        keep: what x is multiplied with, of `mask_shape`: 0 where it is dropped
        """


@dataclass(frozen=True)
class OneHot:
    """The clicked item's ID: x·W is the gather of one row."""

    num_items: int
    name: str = "id"

    def row_tables(self, prefix: str) -> dict[str, RowReader]:
        return {prefix: ItemRows()}

    def initial_parameters(
        self, prefix: str, width: int, num_blocks: int, generator: torch.Generator
    ) -> dict[str, Tensor]:
        return {prefix: gate_blocks(self.num_items, width, num_blocks, generator)}

    def mask_shape(self, num_slots: int, num_rows: Mapping[str, int]) -> tuple[int, ...]:
        return num_slots, 1

    def project(
        self, prefix: str, leaves: Mapping[str, Tensor], clicks: Clicks, keep: Tensor | None = None
    ) -> Tensor:
        return kept(leaves[prefix], keep)


@dataclass(frozen=True)
class Tied:
    """The clicked item's row W_i of an output table, (H,) without its bias: x·W with x = W_i, and W (H, 3H).

    So what an item is clicked as and what it is scored by are one vector (GRU4Rec's "constrained embedding").
    """

    table: str
    size: int  # H of the output table
    name: str = "id"

    def row_tables(self, prefix: str) -> dict[str, RowReader]:
        return {}  # the table is the readout's

    def initial_parameters(
        self, prefix: str, width: int, num_blocks: int, generator: torch.Generator
    ) -> dict[str, Tensor]:
        return {prefix: gate_blocks(self.size, width, num_blocks, generator)}

    def mask_shape(self, num_slots: int, num_rows: Mapping[str, int]) -> tuple[int, ...]:
        return num_slots, self.size

    def project(
        self, prefix: str, leaves: Mapping[str, Tensor], clicks: Clicks, keep: Tensor | None = None
    ) -> Tensor:
        rows = kept(leaves[self.table + CLICKED][:, :-1], keep)
        return rows @ leaves[prefix]  # (B, H) @ (H, 3H) -> (B, 3H)


@dataclass(frozen=True, eq=False)
class Dense:
    """A vector an item, such as an image's: vectors (N, F), which may be in half precision."""

    name: str
    vectors: Tensor

    def row_tables(self, prefix: str) -> dict[str, RowReader]:
        return {}

    def initial_parameters(
        self, prefix: str, width: int, num_blocks: int, generator: torch.Generator
    ) -> dict[str, Tensor]:
        return {prefix: gate_blocks(self.vectors.shape[1], width, num_blocks, generator)}

    def mask_shape(self, num_slots: int, num_rows: Mapping[str, int]) -> tuple[int, ...]:
        return num_slots, self.vectors.shape[1]

    def project(
        self, prefix: str, leaves: Mapping[str, Tensor], clicks: Clicks, keep: Tensor | None = None
    ) -> Tensor:
        vectors = self.vectors.index_select(0, clicks.items).to(leaves[prefix].dtype)
        return kept(vectors, keep) @ leaves[prefix]  # (B, F) @ (F, 3H) -> (B, 3H)


@dataclass(frozen=True, eq=False)
class FineTuned(Dense):
    """A vector an item that learns as well: a table that starts as `vectors` (N, F)."""

    def row_tables(self, prefix: str) -> dict[str, RowReader]:
        return {prefix + VECTORS: ItemRows()}

    def initial_parameters(
        self, prefix: str, width: int, num_blocks: int, generator: torch.Generator
    ) -> dict[str, Tensor]:
        weight = super().initial_parameters(prefix, width, num_blocks, generator)
        # Half precision cannot take small steps.
        dtype = torch.promote_types(self.vectors.dtype, torch.float32)
        return weight | {prefix + VECTORS: self.vectors.to(dtype, copy=True)}

    def project(
        self, prefix: str, leaves: Mapping[str, Tensor], clicks: Clicks, keep: Tensor | None = None
    ) -> Tensor:
        return kept(leaves[prefix + VECTORS], keep) @ leaves[prefix]  # (B, F) @ (F, 3H) -> (B, 3H)


@dataclass(frozen=True, eq=False)
class Sparse:
    """A sparse vector an item, such as a text's TF-IDF: x·W is the weighted sum of the rows of W at its non-zeros.

    No other row of W is read, so that nothing here grows with N × F.
    """

    terms: TermRows

    @property
    def name(self) -> str:
        return self.terms.name

    def row_tables(self, prefix: str) -> dict[str, RowReader]:
        return {prefix: self.terms}

    def initial_parameters(
        self, prefix: str, width: int, num_blocks: int, generator: torch.Generator
    ) -> dict[str, Tensor]:
        weight = gate_blocks(self.terms.num_columns, width, num_blocks, generator)
        return {prefix: torch.nn.functional.pad(weight, (0, 0, 0, 1))}  # with the row that pads

    def mask_shape(self, num_slots: int, num_rows: Mapping[str, int]) -> tuple[int, ...]:
        return (num_rows[self.terms.name],)

    def project(
        self, prefix: str, leaves: Mapping[str, Tensor], clicks: Clicks, keep: Tensor | None = None
    ) -> Tensor:
        rows = clicks.rows[self.terms.name]
        assert rows.slot is not None
        assert rows.weight is not None
        weighted = leaves[prefix] * kept(rows.weight, keep)[:, None]  # (n, 3H)
        return weighted.new_zeros(len(clicks.items), weighted.shape[1]).index_add(0, rows.slot, weighted)


@dataclass(frozen=True)
class Embedded:
    """An embedding layer between another input and the GRU: (x·W_e)·W, with W_e (F, E)."""

    source: Input
    size: int

    @property
    def name(self) -> str:
        return self.source.name

    def row_tables(self, prefix: str) -> dict[str, RowReader]:
        return self.source.row_tables(self._layer(prefix))

    def initial_parameters(
        self, prefix: str, width: int, num_blocks: int, generator: torch.Generator
    ) -> dict[str, Tensor]:
        layer = self.source.initial_parameters(self._layer(prefix), self.size, 1, generator)
        return layer | {prefix: gate_blocks(self.size, width, num_blocks, generator)}

    def mask_shape(self, num_slots: int, num_rows: Mapping[str, int]) -> tuple[int, ...]:
        return num_slots, self.size

    def project(
        self, prefix: str, leaves: Mapping[str, Tensor], clicks: Clicks, keep: Tensor | None = None
    ) -> Tensor:
        embedding = self.source.project(self._layer(prefix), leaves, clicks)  # (B, E)
        return kept(embedding, keep) @ leaves[prefix]  # (B, E) @ (E, 3H) -> (B, 3H)

    def _layer(self, prefix: str) -> str:
        return f"{prefix}.embedding"
