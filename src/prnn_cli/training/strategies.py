"""Training strategies as data (section 3.1): phases of updates. Nothing else knows a strategy's name.

`subnets` are in training order; `epochs` is the number of epochs of each subnet.
"""

from collections.abc import Callable, Sequence
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
    return [Phase(epochs, (Update(scores=tuple(subnets), learns=tuple(subnets)),))]


def alternating(subnets: Sequence[str], epochs: int) -> list[Phase]:
    """The subnets take turns, an epoch each; those that are fixed take part in the forward pass."""
    turns = [Phase(1, (Update(scores=tuple(subnets), learns=(name,)),)) for name in subnets]
    return turns * epochs


def residual(subnets: Sequence[str], epochs: int) -> list[Phase]:
    """One subnet after the other, each on what the ensemble of those before it leaves over."""
    return [Phase(epochs, (update,)) for update in _growing_ensemble(subnets)]


def interleaving(subnets: Sequence[str], epochs: int) -> list[Phase]:
    """Residual training within every mini-batch."""
    return [Phase(epochs, _growing_ensemble(subnets))]


def _growing_ensemble(subnets: Sequence[str]) -> tuple[Update, ...]:
    return tuple(Update(scores=tuple(subnets[: k + 1]), learns=(name,)) for k, name in enumerate(subnets))


STRATEGIES: dict[str, Callable[[Sequence[str], int], list[Phase]]] = {
    each.__name__: each for each in (simultaneous, alternating, residual, interleaving)
}
