"""What a subnet is fed: each input projects the clicked items to the three gates of a GRU, x·W (B, 3H).

Its parameters have names that begin with the `name` they are given. Shapes: T steps, B slots, N items, F features.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from prnn_cli.batching import Clicks, Rows, first_occurrence
from prnn_cli.networks.parameters import gate_blocks


class Input(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def rows_name(self) -> str | None:
        """The name in `Clicks` of the rows that this input reads of its tables; None if it has no table."""

    def rows(self, items: Tensor) -> Rows:
        """(T, B) items -> the rows (T, n) that they read."""

    def row_tables(self, name: str) -> dict[str, str]:
        """Those of the parameters that are tables -> `rows_name`."""

    def initial_parameters(
        self, name: str, hidden_size: int, generator: torch.Generator
    ) -> dict[str, Tensor]: ...

    def project(self, name: str, leaves: Mapping[str, Tensor], clicks: Clicks) -> Tensor: ...


@dataclass(frozen=True)
class OneHot:
    """The clicked item's ID: x·W is the gather of one row."""

    num_items: int
    name: str = "id"
    rows_name: str = "id"

    def rows(self, items: Tensor) -> Rows:
        return Rows(items, first_occurrence(items))

    def row_tables(self, name: str) -> dict[str, str]:
        return {name: self.rows_name}

    def initial_parameters(
        self, name: str, hidden_size: int, generator: torch.Generator
    ) -> dict[str, Tensor]:
        return {name: gate_blocks(self.num_items, hidden_size, 3, generator)}

    def project(self, name: str, leaves: Mapping[str, Tensor], clicks: Clicks) -> Tensor:
        return leaves[name]


@dataclass(frozen=True, eq=False)
class Dense:
    """A vector an item, such as an image's: vectors (N, F)."""

    name: str
    vectors: Tensor
    rows_name: None = None

    def rows(self, items: Tensor) -> Rows:
        raise AssertionError("dense vectors are no table that learns")

    def row_tables(self, name: str) -> dict[str, str]:
        return {}

    def initial_parameters(
        self, name: str, hidden_size: int, generator: torch.Generator
    ) -> dict[str, Tensor]:
        return {name: gate_blocks(self.vectors.shape[1], hidden_size, 3, generator)}

    def project(self, name: str, leaves: Mapping[str, Tensor], clicks: Clicks) -> Tensor:
        return self.vectors.index_select(0, clicks.items) @ leaves[name]  # (B, F) @ (F, 3H) -> (B, 3H)


@dataclass(frozen=True, eq=False)
class Sparse:
    """A sparse vector an item, such as a text's TF-IDF, as the three arrays of a CSR matrix (N, F).

    x·W is the weighted sum of the rows of W at the vector's non-zeros: no other row is read, and nothing here
    grows with N × F. The steps of a tick read equally many rows; the last row of W, which no feature has, pads.
    """

    name: str
    starts: Tensor  # (N + 1,)
    columns: Tensor  # (non-zeros,)
    weights: Tensor  # (non-zeros,)
    num_columns: int

    @property
    def rows_name(self) -> str:
        return self.name

    def rows(self, items: Tensor) -> Rows:
        counts = self.starts[items + 1] - self.starts[items]  # (T, B)
        ends = counts.cumsum(dim=1)
        budget = max(1, int(ends[:, -1].max()))
        place = torch.arange(budget, device=items.device).expand(len(items), -1).contiguous()  # (T, n)
        slot = torch.searchsorted(ends, place, right=True).clamp_(max=items.shape[1] - 1)
        used = place < ends[:, -1:]
        at = self.starts[items].gather(1, slot) + place - (ends - counts).gather(1, slot)
        at = torch.where(used, at, 0)
        index = torch.where(used, self.columns[at], self.num_columns)
        return Rows(index, first_occurrence(index), slot, torch.where(used, self.weights[at], 0))

    def row_tables(self, name: str) -> dict[str, str]:
        return {name: self.rows_name}

    def initial_parameters(
        self, name: str, hidden_size: int, generator: torch.Generator
    ) -> dict[str, Tensor]:
        weight = gate_blocks(self.num_columns, hidden_size, 3, generator)
        return {name: torch.nn.functional.pad(weight, (0, 0, 0, 1))}

    def project(self, name: str, leaves: Mapping[str, Tensor], clicks: Clicks) -> Tensor:
        rows = clicks.rows[self.rows_name]
        assert rows.slot is not None
        assert rows.weight is not None
        weighted = leaves[name] * rows.weight[:, None]  # (n, 3H)
        return weighted.new_zeros(len(clicks.items), weighted.shape[1]).index_add(0, rows.slot, weighted)
