"""The items of a prepared log, by item_index."""

from dataclasses import dataclass

import numpy as np

from prnn_cli.errors import UserError


@dataclass(frozen=True, eq=False)
class KnownItems:
    """The items that training has seen often enough.

    item_ids: (num_items,) str
    support: (num_items,) int64, events in the part train
    """

    item_ids: np.ndarray
    support: np.ndarray

    def index_of(self, item_id: str, option: str) -> int:
        """Raises `UserError` that names the option where the item is none of them."""
        (found,) = np.nonzero(self.item_ids == item_id)
        if not len(found):
            popular = self.item_ids[np.argsort(-self.support, kind="stable")[:3]]
            raise UserError(
                f"{option}={item_id} is no item of the prepared log (rare items are left out of it); "
                f"its most frequent ones are {', '.join(popular)}"
            )
        return int(found[0])
