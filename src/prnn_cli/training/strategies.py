"""Training strategies (the paper's section 3.1) as data: phases of updates. Nothing else knows a strategy's name.

A strategy is a function of `subnets`, in training order, and `epochs`, the number of epochs that each of them learns.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Update:
    """One gradient step on a mini-batch: which subnets score, that is, take part in the forward pass, and which of
    these learn from it."""

    scores: tuple[str, ...]
    learns: tuple[str, ...]


@dataclass(frozen=True)
class Phase:
    """A stretch of training: `epochs` passes over the training part, in which each mini-batch gets these updates, one
    after the other."""

    epochs: int
    updates: tuple[Update, ...]

    @property
    def learning(self) -> tuple[str, ...]:
        """The subnets that learn in any of the updates."""
        return tuple(dict.fromkeys(name for update in self.updates for name in update.learns))

    @property
    def standing(self) -> tuple[str, ...]:
        """The subnets that score in an update, and learn in none."""
        scoring = dict.fromkeys(name for update in self.updates for name in update.scores)
        return tuple(name for name in scoring if name not in self.learning)


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
    """Residual training within every mini-batch: an update of each subnet, one after the other."""
    return [Phase(epochs, _growing_ensemble(subnets))]


def _growing_ensemble(subnets: Sequence[str]) -> tuple[Update, ...]:
    """An update of each subnet, in which it scores together with those before it."""
    return tuple(Update(scores=tuple(subnets[: k + 1]), learns=(name,)) for k, name in enumerate(subnets))


STRATEGIES: dict[str, Callable[[Sequence[str], int], list[Phase]]] = {
    each.__name__: each for each in (simultaneous, alternating, residual, interleaving)
}
