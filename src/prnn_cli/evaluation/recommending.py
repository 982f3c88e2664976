"""Recommendations: the best next items after each of many sessions.

Shapes: T clicks of the longest session, B slots, S sessions.
"""

import numpy as np
import torch
from torch import Tensor

from prnn_cli.data.sessions import Sessions
from prnn_cli.evaluation.replay import slots_in_memory
from prnn_cli.scoring import Scorer


@torch.no_grad()
def best_next(
    scorer: Scorer, sessions: Sessions, n: int, exclude_clicked: bool, device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    """The n best next items of each session (S, n), best first, and their scores (S, n).

    n is at most num_items. Where `exclude_clicked` leaves fewer than n items, the rest are clicked ones at −inf.
    """
    num_slots = slots_in_memory(sessions.num_items, device.type)
    items = np.empty((sessions.num_sessions, n), dtype=np.int64)
    scores = np.empty((sessions.num_sessions, n), dtype=np.float32)
    # Sessions of about the same length together, so that there is little to pad.
    by_length = np.argsort(np.diff(sessions.offsets), kind="stable")
    for start in range(0, sessions.num_sessions, num_slots):
        block = by_length[start : start + num_slots]
        clicks, new_session = _ending_together(sessions, block, device)
        scorer.reset(len(block))
        for step in range(len(clicks)):
            scorer.advance(clicks[step], new_session[step])
        every = scorer.scores(slice(0, sessions.num_items))
        if exclude_clicked:
            every = every.scatter(1, clicks.T, -torch.inf)
        best = every.topk(n, dim=1)
        items[block], scores[block] = best.indices.cpu().numpy(), best.values.cpu().numpy()
    return items, scores


def _ending_together(sessions: Sessions, block: np.ndarray, device: torch.device) -> tuple[Tensor, Tensor]:
    """The clicks (T, B) of some sessions, and whether a slot first forgets, (T, B).

    All sessions end at the last step, so that all their scores are asked for at once. Until its own first click a
    shorter one clicks on this same item, which is forgotten.
    """
    ends, lengths = sessions.offsets[block + 1], np.diff(sessions.offsets)[block]
    ago = np.arange(int(lengths.max()), 0, -1)[:, None]  # how many clicks from the end, (T, 1)
    clicks = sessions.items[ends - np.minimum(ago, lengths)].astype(np.int64)
    return torch.from_numpy(clicks).to(device), torch.from_numpy(ago >= lengths).to(device)
