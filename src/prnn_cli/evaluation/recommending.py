"""Recommendations: the best next items after each of many sessions.

Logits rank as scores do, as the final activation f never decreases, so f is computed for the chosen items alone.

Shapes: T clicks of the longest session, B slots, S sessions, N items, D columns of all output tables together.
"""

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from prnn_cli.data.sessions import Sessions
from prnn_cli.errors import RunError
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
    scorer: Recommender, sessions: Sessions, n: int, exclude_clicked: bool, device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    """The n best next items of each session (S, n), best first, and their scores (S, n).

    n is at most num_items. Where `exclude_clicked` leaves fewer than n items, the rest are clicked ones at −inf.
    Raises `RunError` at a NaN.
    """
    items = np.empty((sessions.num_sessions, n), dtype=np.int64)
    scores = np.empty((sessions.num_sessions, n), dtype=np.float32)
    scorer.reset(1)
    rows = scorer.item_vectors(slice(0, sessions.num_items))
    # Sessions of about the same length together, so that there is little to pad.
    by_length = np.argsort(np.diff(sessions.offsets), kind="stable")
    with workers_of_one_thread() as workers, meter("recommending", sessions.num_sessions) as progress:
        num_parts = workers.number if device.type == "cpu" else 1
        num_slots = max(1, min(num_parts * MAX_SLOTS[device.type], MAX_LOGITS // sessions.num_items))
        parts = [_Part(rows, -(-num_slots // num_parts)) for _ in range(num_parts)]
        for start in range(0, sessions.num_sessions, num_slots):
            block = by_length[start : start + num_slots]
            clicks = _walk(scorer, sessions, block, device)
            left_out = clicks.T if exclude_clicked else clicks.T[:, :0]
            of_parts = scorer.state_vectors().chunk(num_parts), left_out.chunk(num_parts)
            best = list(workers.pool.map(lambda part, *of_part: part.best(*of_part, n), parts, *of_parts))
            logits, items[block] = (torch.cat(each) for each in zip(*best, strict=True))
            scores[block] = _scores(scorer, logits).cpu().numpy()
            progress.update(start + len(block), "sessions")
    return items, scores


@torch.no_grad()
def best_next_of_baseline(
    scorer: Scorer, sessions: Sessions, n: int, exclude_clicked: bool, device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    """The same of a scorer that tells no logits; items that it scores 0 or less are at −inf: it knows nothing of them.

    Raises `RunError` at a NaN.
    """
    items = np.empty((sessions.num_sessions, n), dtype=np.int64)
    scores = np.empty((sessions.num_sessions, n), dtype=np.float32)
    by_length = np.argsort(np.diff(sessions.offsets), kind="stable")
    num_slots = max(1, min(MAX_SLOTS[device.type], MAX_LOGITS // sessions.num_items))
    with meter("recommending", sessions.num_sessions) as progress:
        for start in range(0, sessions.num_sessions, num_slots):
            block = by_length[start : start + num_slots]
            clicks = _walk(scorer, sessions, block, device)
            found = scorer.scores(slice(0, sessions.num_items))
            _refuse_nan(found, f"leave out method={scorer.name}, or mend it")
            found = found.where(found > 0, -torch.inf)
            best = highest(found.scatter_(1, clicks.T, -torch.inf) if exclude_clicked else found, n)
            scores[block], items[block] = (each.cpu().numpy() for each in best)
            progress.update(start + len(block), "sessions")
    return items, scores


class _Part:
    """What a worker finds for its part of the slots, in memory that is allocated once."""

    def __init__(self, rows: Tensor, num_slots: int) -> None:
        """rows: the items' vectors (N, D)"""
        self.rows = rows
        self.room = torch.empty(num_slots * len(rows), device=rows.device)

    def best(self, states: Tensor, left_out: Tensor, n: int) -> tuple[Tensor, Tensor]:
        """The n highest logits of slots whose states are (B, D), and their items; left_out: (B, T) items at −inf."""
        logits = self.room[: len(states) * len(self.rows)].view(len(states), len(self.rows))
        torch.mm(states, self.rows.T, out=logits)  # (B, D) @ (D, N) -> (B, N)
        return highest(logits.scatter_(1, left_out, -torch.inf), n)


def highest(values: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """The n highest of each row of `values` (B, N), the highest first, and their columns, (B, n) each.

    They stand in the n groups of columns whose highest values are highest: so most columns are compared once, and
    never sorted. A NaN counts as the highest.
    """
    num_groups = values.shape[1] // GROUP
    if num_groups < n:
        return values.topk(n, dim=1)
    grouped = values[:, : GROUP * num_groups].view(
        -1, GROUP, num_groups
    )  # group g: columns g, g + num_groups, …
    groups = grouped.amax(dim=1).topk(n, dim=1, sorted=False).indices
    place = torch.arange(values.shape[1], device=values.device)
    columns = torch.cat(
        [
            (groups[:, :, None] + place[: GROUP * num_groups : num_groups]).flatten(1),  # (B, n · GROUP)
            place[GROUP * num_groups :].expand(len(values), -1),
        ],
        dim=1,
    )
    best = values.gather(1, columns).topk(n, dim=1)
    return best.values, columns.gather(1, best.indices)


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
