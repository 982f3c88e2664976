"""The interface that networks and baselines share: whatever can be ranked is a `Scorer`."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

NUM_SLOTS = 4  # that a scorer is checked with


class Scorer(Protocol):
    """B slots that click through sessions, and the scores of what may be clicked next.

    `check_scorer` says what is relied on, and shows it of any scorer.
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


@runtime_checkable
class SparseScorer(Protocol):
    """A scorer most of whose scores are 0, which ranks faster by the others alone."""

    def sparse_scores(self) -> sparse.csr_array:
        """The scores (B, num_items) float32 of the next click, no item of a slot twice; what does not stand is 0."""


def dense_scores(rows: sparse.csr_array, items: slice | Tensor, device: torch.device) -> Tensor:
    """What `Scorer.scores` returns of sparse scores (B, num_items): those of the n items, (B, n) on `device`."""
    asked = rows[:, items] if isinstance(items, slice) else rows[:, items.cpu().numpy()]
    return torch.from_numpy(asked.toarray()).to(device)


@runtime_checkable
class ConstantScorer(Protocol):
    """A scorer whose scores depend on no click, which ranks faster by one list of them."""

    def constant_scores(self) -> np.ndarray:
        """The scores (num_items,) float32 of the next click in every slot."""


def check_scorer(scorer: Scorer, num_items: int) -> None:
    """Checks a network or a baseline: scores depend on the clicks of the slot since it forgot, and on nothing else."""
    generator = torch.Generator().manual_seed(0)
    clicks = torch.randint(num_items, (3, NUM_SLOTS), generator=generator)  # (T, B)
    whole = slice(0, num_items)
    scores = _after(scorer, clicks, num_items)
    for short in _told_in_short(scorer):
        assert torch.equal(short.expand(NUM_SLOTS, -1), scores), "scores that are told in short are others"
    assert scores.shape == (NUM_SLOTS, num_items), f"scores are {tuple(scores.shape)}, not (slots, items)"
    assert bool(torch.isfinite(scores).all()), "a score is not finite"
    assert_same(scorer.scores(whole), scores, "asking for scores changes the scores")
    for some in (slice(1, 3), torch.tensor([2, 0, 2])):
        assert_same(
            scorer.scores(some),
            scores[:, some],
            "scores of some items are not those that they have among all",
        )
    for slot in range(NUM_SLOTS):
        alone = _after(scorer, clicks[:, [slot]], num_items)
        assert_same(
            alone, scores[[slot]], "a slot's scores depend on the other slots, or on how many there are"
        )
    scorer.reset(NUM_SLOTS)
    for items in (clicks + 1) % num_items:  # another session before
        scorer.advance(items, torch.zeros(NUM_SLOTS, dtype=torch.bool))
    for step, items in enumerate(clicks):
        scorer.advance(items, torch.full((NUM_SLOTS,), step == 0))
    assert_same(scorer.scores(whole), scores, "a new session remembers the one before it")
    scorer.advance(clicks[0], torch.arange(NUM_SLOTS) == 0)
    others = scorer.scores(whole)[1:].clone()
    longer = torch.cat([clicks, clicks[:1]])
    assert_same(
        others, _after(scorer, longer, num_items)[1:], "a new session makes other slots forget theirs"
    )
    assert_same(_after(scorer, clicks, num_items), scores, "reset does not forget everything")


def _told_in_short(scorer: Scorer) -> Iterator[Tensor]:
    if isinstance(scorer, SparseScorer):
        yield torch.from_numpy(scorer.sparse_scores().toarray())
    if isinstance(scorer, ConstantScorer):
        yield torch.from_numpy(scorer.constant_scores())


def _after(scorer: Scorer, clicks: Tensor, num_items: int) -> Tensor:
    """The scores of all items after clicks (T, B) from a reset on."""
    num_slots = clicks.shape[1]
    scorer.reset(num_slots)
    for step, items in enumerate(clicks):
        scorer.advance(items, torch.full((num_slots,), step == 0))
    return scorer.scores(slice(0, num_items)).clone()  # which may be a view of what the next click changes


def assert_same(found: Tensor, expected: Tensor, otherwise: str) -> None:
    """Raises `AssertionError` with the sentence `otherwise` where two results differ by more than rounding."""
    assert found.shape == expected.shape, otherwise
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-5), otherwise
