"""The interface that networks and baselines share: whatever can be ranked is a `Scorer`."""

from typing import Protocol

from torch import Tensor


class Scorer(Protocol):
    """B slots that click through sessions, and the scores of what may be clicked next.

    `contracts.check_scorer` says what is relied on, and shows it of any scorer.
    """

    @property
    def name(self) -> str:
        """The name that its ranks go by: a baseline's own, or "network"."""

    def reset(self, num_slots: int) -> None:
        """Forgets everything and makes room for num_slots sessions."""

    def advance(self, items: Tensor, new_session: Tensor) -> None:
        """Takes a click of each slot, (B,) int64; where new_session, (B,) bool, the slot first forgets."""

    def scores(self, items: slice | Tensor) -> Tensor:
        """Scores (B, n) float32 of the next click for n items, higher is better; an item may be asked for twice."""
