"""What a subnet is fed: each input projects the clicked items, x·W: to the three gates of a GRU, (B, 3H).

Its parameters have names that begin with the `name` they are given. W has `num_blocks` blocks of a `width` side by
side (the three gates, H each). Shapes: T steps, B slots, N items, F features, E the size of an embedding.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, Self

import torch
from torch import Tensor

from prnn_cli.batching import Clicks, TableRows, first_occurrence
from prnn_cli.networks.initialisation import gate_blocks

ID_ROWS = "id"  # the rows, in tables of one row an item, of the items themselves
VECTORS = ".vectors"  # ends the name of the parameter that holds an item's own vector


class Input(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def rows_name(self) -> str | None:
        """The name in `Clicks` of the rows that this input reads of its tables; None if it has no table."""

    @property
    def reads_vary(self) -> bool:
        """Whether some clicks read more rows than others."""

    def num_rows(self, items: Tensor) -> int:
        """(T, B) items -> the most rows that a step reads."""

    def rows(self, items: Tensor, num_rows: int) -> TableRows:
        """(T, B) items -> the rows (T, num_rows) that they read, padded where a step reads fewer."""

    def row_tables(self, name: str) -> dict[str, str]:
        """Those of the parameters that are tables -> `rows_name`."""

    def initial_parameters(
        self, name: str, width: int, num_blocks: int, generator: torch.Generator
    ) -> dict[str, Tensor]: ...

    def project(self, name: str, leaves: Mapping[str, Tensor], clicks: Clicks) -> Tensor: ...

    @property
    def constants(self) -> list[Tensor]:
        """What `project` reads beside leaves and clicks: a compiled step is handed it."""

    def with_constants(self, values: Iterator[Tensor]) -> "Input":
        """One like this that reads the next of `values` instead."""


class WithoutConstants:
    @property
    def constants(self) -> list[Tensor]:
        return []

    def with_constants(self, values: Iterator[Tensor]) -> Self:
        return self


@dataclass(frozen=True)
class OneHot(WithoutConstants):
    """The clicked item's ID: x·W is the gather of one row."""

    num_items: int
    name: str = ID_ROWS
    rows_name: str = ID_ROWS
    reads_vary: ClassVar[bool] = False

    def num_rows(self, items: Tensor) -> int:
        return items.shape[1]

    def rows(self, items: Tensor, num_rows: int) -> TableRows:
        return TableRows(items, first_occurrence(items))

    def row_tables(self, name: str) -> dict[str, str]:
        return {name: self.rows_name}

    def initial_parameters(
        self, name: str, width: int, num_blocks: int, generator: torch.Generator
    ) -> dict[str, Tensor]:
        return {name: gate_blocks(self.num_items, width, num_blocks, generator)}

    def project(self, name: str, leaves: Mapping[str, Tensor], clicks: Clicks) -> Tensor:
        return leaves[name]


@dataclass(frozen=True, eq=False)
class Dense:
    """A vector an item, such as an image's: vectors (N, F), which may be in half precision."""

    name: str
    vectors: Tensor
    rows_name: None = None
    reads_vary: ClassVar[bool] = False

    def num_rows(self, items: Tensor) -> int:
        return 0

    def rows(self, items: Tensor, num_rows: int) -> TableRows:
        raise AssertionError("dense vectors are no table that learns")

    def row_tables(self, name: str) -> dict[str, str]:
        return {}

    def initial_parameters(
        self, name: str, width: int, num_blocks: int, generator: torch.Generator
    ) -> dict[str, Tensor]:
        return {name: gate_blocks(self.vectors.shape[1], width, num_blocks, generator)}

    def project(self, name: str, leaves: Mapping[str, Tensor], clicks: Clicks) -> Tensor:
        vectors = self.vectors.index_select(0, clicks.items).to(leaves[name].dtype)
        return vectors @ leaves[name]  # (B, F) @ (F, 3H) -> (B, 3H)

    @property
    def constants(self) -> list[Tensor]:
        return [self.vectors]

    def with_constants(self, values: Iterator[Tensor]) -> Self:
        return replace(self, vectors=next(values))


@dataclass(frozen=True, eq=False)
class FineTuned(Dense):
    """A vector an item that learns as well: a table that starts as `vectors` (N, F)."""

    rows_name: str = ID_ROWS  # type: ignore[assignment]

    def num_rows(self, items: Tensor) -> int:
        return items.shape[1]

    def rows(self, items: Tensor, num_rows: int) -> TableRows:
        return TableRows(items, first_occurrence(items))

    def row_tables(self, name: str) -> dict[str, str]:
        return {name + VECTORS: self.rows_name}

    def initial_parameters(
        self, name: str, width: int, num_blocks: int, generator: torch.Generator
    ) -> dict[str, Tensor]:
        weight = super().initial_parameters(name, width, num_blocks, generator)
        dtype = torch.promote_types(
            self.vectors.dtype, torch.float32
        )  # half precision cannot take small steps
        return weight | {name + VECTORS: self.vectors.to(dtype, copy=True)}

    def project(self, name: str, leaves: Mapping[str, Tensor], clicks: Clicks) -> Tensor:
        return leaves[name + VECTORS] @ leaves[name]  # (B, F) @ (F, 3H) -> (B, 3H)


@dataclass(frozen=True, eq=False)
class Sparse(WithoutConstants):
    """A sparse vector an item, such as a text's TF-IDF, as the three arrays of a CSR matrix (N, F).

    x·W is the weighted sum of the rows of W at the vector's non-zeros: no other row is read, and nothing here
    grows with N × F. Every step reads equally many rows: the last row of W, which no feature has, pads.
    """

    name: str
    starts: Tensor  # (N + 1,)
    columns: Tensor  # (non-zeros,)
    weights: Tensor  # (non-zeros,)
    num_columns: int
    reads_vary: ClassVar[bool] = True

    @property
    def rows_name(self) -> str:
        return self.name

    def num_rows(self, items: Tensor) -> int:
        return max(1, int(self._counts(items).sum(dim=1).max()))

    def rows(self, items: Tensor, num_rows: int) -> TableRows:
        counts = self._counts(items)
        ends = counts.cumsum(dim=1)
        place = torch.arange(num_rows, device=items.device).expand(len(items), -1).contiguous()  # (T, n)
        slot = torch.searchsorted(ends, place, right=True).clamp_(max=items.shape[1] - 1)
        used = place < ends[:, -1:]
        at = self.starts[items].gather(1, slot) + place - (ends - counts).gather(1, slot)
        at = torch.where(used, at, 0)
        index = torch.where(used, self.columns[at], self.num_columns)
        return TableRows(index, first_occurrence(index), slot, torch.where(used, self.weights[at], 0))

    def _counts(self, items: Tensor) -> Tensor:
        """(T, B) non-zeros."""
        return self.starts[items + 1] - self.starts[items]

    def row_tables(self, name: str) -> dict[str, str]:
        return {name: self.rows_name}

    def initial_parameters(
        self, name: str, width: int, num_blocks: int, generator: torch.Generator
    ) -> dict[str, Tensor]:
        weight = gate_blocks(self.num_columns, width, num_blocks, generator)
        return {name: torch.nn.functional.pad(weight, (0, 0, 0, 1))}

    def project(self, name: str, leaves: Mapping[str, Tensor], clicks: Clicks) -> Tensor:
        rows = clicks.rows[self.rows_name]
        assert rows.slot is not None
        assert rows.weight is not None
        weighted = leaves[name] * rows.weight[:, None]  # (n, 3H)
        return weighted.new_zeros(len(clicks.items), weighted.shape[1]).index_add(0, rows.slot, weighted)


@dataclass(frozen=True)
class Embedded:
    """An embedding layer between another input and the GRU: (x·W_e)·W, with W_e (F, E)."""

    source: Input
    size: int

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def rows_name(self) -> str | None:
        return self.source.rows_name

    @property
    def reads_vary(self) -> bool:
        return self.source.reads_vary

    def num_rows(self, items: Tensor) -> int:
        return self.source.num_rows(items)

    def rows(self, items: Tensor, num_rows: int) -> TableRows:
        return self.source.rows(items, num_rows)

    def row_tables(self, name: str) -> dict[str, str]:
        return self.source.row_tables(self._layer(name))

    def initial_parameters(
        self, name: str, width: int, num_blocks: int, generator: torch.Generator
    ) -> dict[str, Tensor]:
        layer = self.source.initial_parameters(self._layer(name), self.size, 1, generator)
        return layer | {name: gate_blocks(self.size, width, num_blocks, generator)}

    def project(self, name: str, leaves: Mapping[str, Tensor], clicks: Clicks) -> Tensor:
        embedding = self.source.project(self._layer(name), leaves, clicks)  # (B, E)
        return embedding @ leaves[name]  # (B, E) @ (E, 3H) -> (B, 3H)

    @property
    def constants(self) -> list[Tensor]:
        return self.source.constants

    def with_constants(self, values: Iterator[Tensor]) -> Self:
        return replace(self, source=self.source.with_constants(values))

    def _layer(self, name: str) -> str:
        return f"{name}.embedding"
