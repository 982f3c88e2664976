"""The engine of a server: sessions that are asked about at the same moment -> the best next items of each.

Shapes: B sessions, N items, H hidden size.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from prnn_cli.evaluation.item_rules import Columns, ItemRules
from prnn_cli.evaluation.recommending import highest
from prnn_cli.networks.folded import FoldedNetwork

State = dict[str, Tensor]  # (H,) by subnet


@dataclass(frozen=True)
class Ask:
    """A session's question. All items are item_index.

    clicks: since `state`, the latest last; at least one, unless there is a state
    clicked: all of the session, which may be left out
    allowed: the only items that may be recommended; denied: those that must not be
    """

    clicks: Sequence[int]
    state: State | None
    clicked: Sequence[int]
    k: int
    allowed: np.ndarray | None = None
    denied: np.ndarray | None = None


@dataclass(frozen=True)
class Answer:
    """The best items, fewer than k where the rules leave fewer, their scores, and the state to go on from."""

    items: list[int]
    scores: list[float]
    state: State


class Engine:
    """A folded network that answers many sessions with one product."""

    def __init__(self, network: FoldedNetwork) -> None:
        self.network = network
        self._vectors = (
            network.item_vectors.T.contiguous()
        )  # (D, N), which few states are multiplied with faster
        self._columns = Columns(None, network.num_items, network.item_vectors.device)

    @torch.inference_mode()
    def answer(self, asks: Sequence[Ask]) -> list[Answer]:
        """An answer to each, in order; none depends on the others."""
        order = sorted(
            range(len(asks)), key=lambda n: -len(asks[n].clicks)
        )  # so that those who go on stand first
        answers = dict(zip(order, self._answers([asks[n] for n in order]), strict=True))
        return [answers[n] for n in range(len(asks))]

    def _answers(self, asks: Sequence[Ask]) -> list[Answer]:
        states = self._states(asks)
        vectors = self.network.session_vectors(states)
        denied = {n: ask.denied for n, ask in enumerate(asks) if ask.denied is not None}
        allowed = {n: ask.allowed for n, ask in enumerate(asks) if ask.allowed is not None}
        rules = ItemRules(any(ask.clicked for ask in asks), None, denied, allowed)
        logits = vectors.new_empty(len(asks), self.network.num_items + 1)
        torch.mm(vectors, self._vectors, out=logits[:, :-1])
        clicked = _padded(asks, self.network.num_items)
        self._columns.rule(logits, rules, clicked, range(len(asks)))
        best, at = highest(logits, max(ask.k for ask in asks))
        scores = self.network.scores_of(best)
        return [
            _answer(
                ask, best[n], at[n], scores[n], {name: state[n].clone() for name, state in states.items()}
            )
            for n, ask in enumerate(asks)
        ]

    def _states(self, asks: Sequence[Ask]) -> dict[str, Tensor]:
        """The states (B, H) after the clicks of all sessions, the longest of which stand first."""
        states = self.network.initial_states(len(asks))
        for n, ask in enumerate(asks):
            for name, state in (ask.state or {}).items():
                states[name][n] = state
        lengths = np.array([len(ask.clicks) for ask in asks])
        for step in range(int(lengths[0])):
            going_on = int((lengths > step).sum())
            items = torch.tensor([ask.clicks[step] for ask in asks[:going_on]])
            some = {name: state[:going_on] for name, state in states.items()}
            for name, state in self.network.after(items, some).items():
                states[name][:going_on] = state
        return states


def _padded(asks: Sequence[Ask], nothing: int) -> Tensor:
    """The clicked items (B, T), with `nothing` where a session has clicked fewer."""
    longest = max(len(ask.clicked) for ask in asks)
    return torch.tensor(
        [[*ask.clicked, *[nothing] * (longest - len(ask.clicked))] for ask in asks], dtype=torch.int64
    )


def _answer(ask: Ask, logits: Tensor, items: Tensor, scores: Tensor, state: State) -> Answer:
    num = int(torch.isfinite(logits[: ask.k]).sum())
    return Answer(items[:num].tolist(), scores[:num].tolist(), state)
