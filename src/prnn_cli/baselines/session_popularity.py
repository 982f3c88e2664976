"""Session popularity: what the session itself has clicked most, then the items of most training support.

    score(j) = clicks on j in the session so far + supp_j / (1 + supp_j)

Hidasi et al., "Session-based recommendations with recurrent neural networks" (ICLR 2016), where it is called S-POP.
Cost of a prediction: the items.
"""

import numpy as np
import torch
from torch import Tensor

from prnn_cli.baselines.baseline import Baseline
from prnn_cli.baselines.slot_clicks import SlotClicks
from prnn_cli.data.sessions import Sessions


class SessionPopularity:
    """A `Scorer` by the clicks of the session, which the supports only order among equals."""

    name = "session_popularity"

    def __init__(self, support: np.ndarray) -> None:
        """support: (num_items,) training events of each item."""
        # supp / (1 + supp) itself would be 1 in float32 for many supports. Their order does as well, above 0.
        distinct, place = np.unique(support, return_inverse=True)
        self.below_one = torch.from_numpy(((place + 1) / (len(distinct) + 1)).astype(np.float32))
        self.reset(0)

    @classmethod
    def fit(cls, sessions: Sessions) -> "SessionPopularity":
        """Counts the events of each item."""
        return cls(np.bincount(sessions.items, minlength=sessions.num_items))

    def reset(self, num_slots: int) -> None:
        self._slots = SlotClicks(num_slots)

    def advance(self, items: Tensor, new_session: Tensor) -> None:
        self._slots.add(items, new_session)

    def scores(self, items: slice | Tensor) -> Tensor:
        clicks, offsets = self._slots.joined()
        every = self.below_one.repeat(len(offsets) - 1, 1)
        slot = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        every.index_put_(
            (torch.from_numpy(slot), torch.from_numpy(clicks).long()), torch.tensor(1.0), accumulate=True
        )
        return every[:, items].to(self._slots.device)


BASELINES = {
    "session_popularity": Baseline(
        "Session popularity", lambda data, options: SessionPopularity.fit(data.train)
    )
}
