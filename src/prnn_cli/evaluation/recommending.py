"""Recommendations: the best next items after each of many sessions.

Logits rank as scores do, as the final activation f never decreases, so f is computed for the chosen items alone.

Shapes: T clicks of the longest session, B slots, S sessions, N items, D columns of all output tables together.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from prnn_cli.data.sessions import Sessions
from prnn_cli.errors import RunError
from prnn_cli.evaluation.item_rules import Columns, ItemRules
from prnn_cli.evaluation.tiles import LogitScorer, workers_of_one_thread
from prnn_cli.scoring import Scorer
from prnn_cli.system.progress import meter

MAX_SLOTS = {"cpu": 128, "cuda": 1024}  # of a worker: more are no faster
MAX_LOGITS = 2**26  # of all workers at a time: 256 MB
GROUP = 16  # items of which the best is found first: of 4 to 64 the fastest for 10,000 to 300,000 items


class Recommender(Scorer, LogitScorer, Protocol):
    """A scorer that tells logits too, such as a network's."""


@torch.no_grad()
def best_next(
    scorer: Recommender, sessions: Sessions, n: int, rules: ItemRules, device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    """The best next items of each session (S, n), best first, and their scores (S, n).

    Where the rules leave fewer than n items, the rest is item 0 at −inf. Of equal logits the lower item_index comes
    first. Raises `RunError` at a NaN.
    """
    columns = Columns(rules.among, sessions.num_items, device)
    best = _Best(sessions.num_sessions, n, columns)
    scorer.reset(1)
    rows = scorer.item_vectors(columns.items)
    with workers_of_one_thread() as workers, meter("recommending", sessions.num_sessions) as progress:
        num_parts = workers.number if device.type == "cpu" else 1
        num_slots = max(1, min(num_parts * MAX_SLOTS[device.type], MAX_LOGITS // sessions.num_items))
        parts = [_Part(rows, columns, rules, -(-num_slots // num_parts)) for _ in range(num_parts)]
        for block in _blocks(sessions, num_slots):
            clicks = _walk(scorer, sessions, block, device).T
            states = scorer.state_vectors()
            bounds = np.linspace(0, len(block), num_parts + 1).astype(int).tolist()
            slots = [slice(*bound) for bound in pairwise(bounds)]
            found = list(
                workers.pool.map(
                    lambda part, *of_slots: part.best(*of_slots, n),
                    parts,
                    [states[each] for each in slots],
                    [clicks[each] for each in slots],
                    [block[each].tolist() for each in slots],
                )
            )
            logits, at = (torch.cat(each) for each in zip(*found, strict=True))
            best.put(block, at, _scores(scorer, logits))
            progress.update(best.number, "sessions")
    return best.items, best.scores


@torch.no_grad()
def best_next_of_baseline(
    scorer: Scorer, sessions: Sessions, n: int, rules: ItemRules, device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    """The same of a scorer that tells no logits; items that it scores 0 or less are at −inf: it knows nothing of them.

    Raises `RunError` at a NaN.
    """
    columns = Columns(rules.among, sessions.num_items, device)
    best = _Best(sessions.num_sessions, n, columns)
    num_slots = max(1, min(MAX_SLOTS[device.type], MAX_LOGITS // sessions.num_items))
    with meter("recommending", sessions.num_sessions) as progress:
        for block in _blocks(sessions, num_slots):
            clicks = _walk(scorer, sessions, block, device).T
            scores = scorer.scores(columns.items)
            _refuse_nan(scores, f"leave out method={scorer.name}, or mend it")
            known = torch.nn.functional.pad(scores.where(scores > 0, -torch.inf), (0, 1))
            found, at = highest(columns.rule(known, rules, clicks, block.tolist()), n)
            best.put(block, at, found)
            progress.update(best.number, "sessions")
    return best.items, best.scores


@torch.no_grad()
def session_vectors(scorer: Recommender, sessions: Sessions, device: torch.device) -> np.ndarray:
    """What the scorer knows of each session after its last click, (S, D) float32."""
    scorer.reset(1)
    found = np.empty((sessions.num_sessions, scorer.state_vectors().shape[1]), dtype=np.float32)
    for block in _blocks(sessions, MAX_SLOTS[device.type]):
        _walk(scorer, sessions, block, device)
        found[block] = scorer.state_vectors().cpu().numpy()
    return found


def _blocks(sessions: Sessions, num_slots: int) -> Iterator[np.ndarray]:
    """The numbers of the sessions, those of about the same length together, so that there is little to pad."""
    by_length = np.argsort(np.diff(sessions.offsets), kind="stable")
    for start in range(0, sessions.num_sessions, num_slots):
        yield by_length[start : start + num_slots]


class _Best:
    """What was found so far; number: of how many sessions."""

    def __init__(self, num_sessions: int, n: int, columns: Columns) -> None:
        self.items = np.zeros((num_sessions, n), dtype=np.int64)
        self.scores = np.full((num_sessions, n), -np.inf, dtype=np.float32)
        self.number = 0
        self._columns = columns

    def put(self, block: np.ndarray, at: Tensor, scores: Tensor) -> None:
        """Takes the columns and scores of a block of sessions, fewer than n each where there are no more items."""
        self.items[block, : at.shape[1]] = self._columns.items_of(at).cpu().numpy()
        self.scores[block, : at.shape[1]] = scores.cpu().numpy()
        self.number += len(block)


class _Part:
    """What a worker finds for its part of the slots, in memory that is allocated once."""

    def __init__(self, rows: Tensor, columns: Columns, rules: ItemRules, num_slots: int) -> None:
        """rows: the vectors of the columns' items (C, D)"""
        self.rows, self.columns, self.rules = rows, columns, rules
        self.room = torch.empty(num_slots * (len(rows) + 1), device=rows.device)

    def best(self, states: Tensor, clicks: Tensor, sessions: list[int], n: int) -> tuple[Tensor, Tensor]:
        """The highest logits of slots whose states are (B, D), and their columns, (B, at most n) each."""
        width = len(self.rows) + 1
        logits = self.room[: len(states) * width].view(len(states), width)
        torch.mm(states, self.rows.T, out=logits[:, :-1])  # (B, D) @ (D, C) -> (B, C)
        return highest(self.columns.rule(logits, self.rules, clicks, sessions), n)


def highest(values: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """The n highest of each row of `values` (B, N), or all of fewer, and their columns, (B, n) each.

    The highest come first, of equal ones the lower column. They stand in the n groups of columns whose highest values
    are highest: so most columns are compared once, and never sorted. A NaN counts as the highest.
    """
    n = min(n, values.shape[1])
    num_groups = values.shape[1] // GROUP
    if num_groups < n:
        return _sorted(values, n)
    # Group g: columns g, g + num_groups, …
    of_groups = values[:, : GROUP * num_groups].view(-1, GROUP, num_groups).amax(dim=1)
    groups = of_groups.topk(n, dim=1, sorted=False).indices
    place = torch.arange(values.shape[1], device=values.device)
    columns = torch.cat(
        [
            (groups[:, :, None] + place[: GROUP * num_groups : num_groups]).flatten(1),  # (B, n · GROUP)
            place[GROUP * num_groups :].expand(len(values), -1),
        ],
        dim=1,
    )
    of_columns = values.gather(1, columns)
    best = of_columns.topk(n, dim=1)
    found, at = _in_order(best.values, columns.gather(1, best.indices))
    # Where more are as high as the last one, it matters which of them are taken.
    last = found[:, -1:]
    (tied,) = torch.where(((of_columns >= last).sum(dim=1) > n) | ((of_groups >= last).sum(dim=1) > n))
    if len(tied):
        found[tied], at[tied] = _sorted(values[tied], n)
    return found, at


def _sorted(values: Tensor, n: int) -> tuple[Tensor, Tensor]:
    found, columns = values.sort(dim=1, descending=True, stable=True)
    return found[:, :n], columns[:, :n]


def _in_order(values: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """Falling values, (B, n), with equal ones in the order of their columns."""
    rising = columns.argsort(dim=1)
    order = rising.gather(1, values.gather(1, rising).argsort(dim=1, descending=True, stable=True))
    return values.gather(1, order), columns.gather(1, order)


def _refuse_nan(scores: Tensor, remedy: str) -> None:
    if scores.isnan().any():
        raise RunError(f"a score is NaN, so nothing can be recommended; {remedy}")


def _scores(scorer: Recommender, logits: Tensor) -> Tensor:
    _refuse_nan(logits, "train again with a lower learning_rate")
    return (
        logits if scorer.activation is None else logits.where(logits == -torch.inf, scorer.activation(logits))
    )


def _walk(scorer: Scorer, sessions: Sessions, block: np.ndarray, device: torch.device) -> Tensor:
    """Feeds `scorer` the clicks of some sessions, and returns them, (T, B).

    All sessions end at the last step, so that all their scores are asked for at once. Until its own first click a
    shorter one clicks on this same item, which is forgotten.
    """
    ends, lengths = sessions.offsets[block + 1], np.diff(sessions.offsets)[block]
    ago = np.arange(int(lengths.max()), 0, -1)[:, None]  # how many clicks from the end, (T, 1)
    items = sessions.items[ends - np.minimum(ago, lengths)].astype(np.int64)
    clicks, new_session = torch.from_numpy(items).to(device), torch.from_numpy(ago >= lengths).to(device)
    scorer.reset(len(block))
    for step in range(len(clicks)):
        scorer.advance(clicks[step], new_session[step])
    return clicks
