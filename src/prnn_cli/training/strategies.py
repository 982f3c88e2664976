"""Training strategies as data (section 3.1): phases of updates. Nothing else knows a strategy's name."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Update:
    """One gradient step on a mini-batch: which subnets take part in the forward pass, which of them learn."""

    scores: tuple[str, ...]
    learns: tuple[str, ...]


@dataclass(frozen=True)
class Phase:
    """`epochs` passes over the training part, with these updates for each mini-batch."""

    epochs: int
    updates: tuple[Update, ...]

    @property
    def learning(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for update in self.updates for name in update.learns))


def simultaneous(subnets: Sequence[str], epochs: int) -> list[Phase]:
    """Every subnet learns in every update."""
    everything = tuple(subnets)
    return [Phase(epochs, (Update(scores=everything, learns=everything),))]
