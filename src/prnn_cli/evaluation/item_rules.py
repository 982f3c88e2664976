"""Item rules: which items may be recommended to whom; and the logits of an item that may not, at −inf.

Shapes: B slots, T clicks, C items that may be recommended at all, one column of logits each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class ItemRules:
    """What may be recommended; all items are item_index.

    exclude_clicked: nothing that the session has clicked
    among: (C,) the items that may be recommended at all, rising; None: all
    denied: by session, the items that must not be; allowed: by session, the only ones that may. A session's number is
        its place among those asked for; none of the two holds for one that is not named
    """

    exclude_clicked: bool = True
    among: np.ndarray | None = None
    denied: Mapping[int, np.ndarray] = field(default_factory=dict)
    allowed: Mapping[int, np.ndarray] = field(default_factory=dict)


class Columns:
    """The columns of logits: one of each item that may be recommended at all, in the order of item_index, and a last
    one that stands for nothing."""

    def __init__(self, among: np.ndarray | None, num_items: int, device: torch.device) -> None:
        """among: as in `ItemRules`"""
        kept = np.arange(num_items) if among is None else among
        self.items: slice | Tensor = slice(0, num_items)
        if among is not None:
            self.items = torch.from_numpy(among.astype(np.int64)).to(device)
        self.number = len(kept)  # C, and the column that stands for nothing
        self._item = torch.from_numpy(np.append(kept, 0).astype(np.int64)).to(device)
        column = np.full(num_items + 1, self.number, dtype=np.int64)  # item_index num_items is no item
        column[kept] = np.arange(self.number)
        self._column = torch.from_numpy(column).to(device)

    def items_of(self, columns: Tensor) -> Tensor:
        """The items of columns; 0 for the one of nothing, whose logit is −inf."""
        return self._item[columns]

    def rule(self, logits: Tensor, rules: ItemRules, clicks: Tensor, sessions: Sequence[int]) -> Tensor:
        """Sets to −inf, in place, what may not be recommended to B sessions, by their numbers.

        logits: (B, C + 1); clicks: (B, T) item_index, or num_items where a session has clicked fewer
        """
        logits[:, self.number] = -torch.inf
        if rules.exclude_clicked:
            logits.scatter_(1, self._column[clicks], -torch.inf)
        for slot, session in enumerate(sessions if rules.denied or rules.allowed else ()):
            if (denied := rules.denied.get(session)) is not None:
                logits[slot, self._columns_of(denied)] = -torch.inf
            if (allowed := rules.allowed.get(session)) is not None:
                columns = self._columns_of(allowed)
                kept = logits[slot, columns]
                logits[slot] = -torch.inf
                logits[slot, columns] = kept
        return logits

    def _columns_of(self, items: np.ndarray) -> Tensor:
        return self._column[torch.from_numpy(items.astype(np.int64)).to(self._column.device)]
