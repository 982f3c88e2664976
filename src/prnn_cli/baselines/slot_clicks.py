"""The clicks of the sessions that are going on, for scorers that need more than the last one."""

import numpy as np
import torch
from torch import Tensor


class SlotClicks:
    """All clicks since each slot forgot, and the device that they came from.

    lengths: (B,) int64 clicks of each slot
    """

    def __init__(self, num_slots: int) -> None:
        self.lengths = np.zeros(num_slots, np.int64)
        self.device = torch.device("cpu")
        self._items = np.zeros((num_slots, 8), np.int32)

    def add(self, items: Tensor, new_session: Tensor) -> None:
        """Takes a click of each slot; the arguments of `scoring.Scorer.advance`."""
        self.device = items.device
        self.lengths[new_session.cpu().numpy()] = 0
        if self.lengths.max(initial=0) == self._items.shape[1]:
            self._items = np.concatenate([self._items, np.zeros_like(self._items)], axis=1)
        self._items[np.arange(len(self.lengths)), self.lengths] = items.cpu().numpy()
        self.lengths += 1

    @property
    def last(self) -> np.ndarray:
        """The last click of each slot, (B,) int32."""
        last: np.ndarray = self._items[np.arange(len(self.lengths)), self.lengths - 1]
        return last

    def joined(self, at_most: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The clicks of all slots, one after another, and the offsets (B + 1,) of each slot's; the last `at_most`."""
        starts = np.zeros_like(self.lengths) if at_most is None else np.maximum(self.lengths - at_most, 0)
        place = np.arange(self.lengths.max(initial=0))
        counts = (place >= starts[:, None]) & (place < self.lengths[:, None])
        return self._items[:, : len(place)][counts], np.append(0, np.cumsum(self.lengths - starts))
