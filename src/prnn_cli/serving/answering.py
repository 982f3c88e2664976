"""Sessions -> the table of what a network recommends them, for the command line and for Python."""

import numpy as np
import pyarrow as pa
import torch

from prnn_cli.data.new_sessions import NewSessions
from prnn_cli.evaluation.item_rules import ItemRules
from prnn_cli.evaluation.recommending import best_next, session_vectors
from prnn_cli.networks.folded import FoldedScorer
from prnn_cli.reporting.recommendations import recommendations
from prnn_cli.serving.explaining import shares_of


def answered(
    scorer: FoldedScorer,
    sessions: NewSessions,
    n: int,
    rules: ItemRules,
    item_ids: np.ndarray,
    explain: bool,
    device: torch.device,
) -> pa.Table:
    """The n best next items of each session (`recommendations`), with the subnets' shares where they are to `explain`.

    item_ids: (num_items,)
    """
    items, scores = best_next(scorer, sessions.known, n, rules, device)
    shares = {}
    if explain:
        shares = shares_of(scorer.folded, session_vectors(scorer, sessions.known, device), items)
    return recommendations(sessions, items, scores, item_ids, shares)
