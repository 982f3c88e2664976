"""Row readers: which rows of a table the clicks touch, so that a step reads and updates these rows alone.

Shapes: T steps, B slots, N items, n rows of a step.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from prnn_cli.batching import TableRows, first_occurrence


class RowReader(Protocol):
    """A kind of tables, as seen from the clicks: which rows of it they touch."""

    @property
    def name(self) -> str:
        """The rows' key in `Clicks.rows`. All tables whose readers have the same name share these rows."""

    @property
    def reads_vary(self) -> bool:
        """Whether some clicks touch more rows than others, so that a step's rows have to be padded."""

    def num_rows(self, items: Tensor) -> int:
        """The most rows that a step touches, for clicked items (T, B)."""

    def rows(self, items: Tensor, num_rows: int) -> TableRows:
        """The rows (T, num_rows) that clicked items (T, B) touch, padded where a step touches fewer."""


@dataclass(frozen=True)
class ItemRows:
    """Reader of tables of one row an item: a click touches its item's row."""

    name: ClassVar[str] = "id"
    reads_vary: ClassVar[bool] = False

    def num_rows(self, items: Tensor) -> int:
        return items.shape[1]

    def rows(self, items: Tensor, num_rows: int) -> TableRows:
        return TableRows(items, first_occurrence(items))


@dataclass(frozen=True, eq=False)
class TermRows:
    """Reader of tables of one row a term: a click touches the rows of its item's terms, each with a weight.

    The items' terms are the non-zeros of a sparse matrix (N, F), held as the three arrays of its CSR form. A table has
    a further row F that belongs to no term: steps that touch few rows are padded with it, at a weight of 0.
    """

    name: str
    starts: Tensor  # (N + 1,) an item's first non-zero
    columns: Tensor  # (non-zeros,) its term
    weights: Tensor  # (non-zeros,)
    num_columns: int  # F
    reads_vary: ClassVar[bool] = True

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
        """The number of terms of each click, (T, B)."""
        return self.starts[items + 1] - self.starts[items]
