"""What a network and a baseline have in common: whatever can be ranked is a `Scorer`."""

from typing import Protocol

from torch import Tensor


class Scorer(Protocol):
    """B slots that click through sessions, and the scores of what may be clicked next.

    `contracts.check_scorer` says what is relied on, and shows it of any scorer.
    """

    @property
    def name(self) -> str: ...

    def reset(self, num_slots: int) -> None:
        """Forgets everything and makes room for num_slots sessions."""

    def advance(self, items: Tensor, new_session: Tensor) -> None:
        """Takes a click of each slot, (B,) int64; where new_session, (B,) bool, the slot first forgets."""

    def scores(self, items: slice | Tensor) -> Tensor:
        """(B, n) float32 scores of the next click for n items, higher is better; an item may be asked for twice."""
