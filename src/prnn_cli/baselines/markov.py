"""First-order Markov chain: the score of j after i is how often j came right after i in training."""

import numpy as np
from scipy import sparse

from prnn_cli.baselines.baseline import Baseline
from prnn_cli.baselines.last_click import LastClickScorer
from prnn_cli.data.sessions import Sessions


class Markov(LastClickScorer):
    """Scores by how often an item followed the last click."""

    @classmethod
    def fit(cls, sessions: Sessions) -> "Markov":
        """Counts the pairs of successive clicks within sessions."""
        follows = np.ones(sessions.num_events, dtype=bool)
        follows[sessions.offsets[:-1]] = False
        item, next_item = sessions.items[:-1][follows[1:]], sessions.items[1:][follows[1:]]
        ones = np.ones(len(item), dtype=np.float32)
        shape = (sessions.num_items, sessions.num_items)
        return cls("markov", sparse.csr_array((ones, (item, next_item)), shape=shape))


BASELINES = {"markov": Baseline("Markov", lambda data, options: Markov.fit(data.train))}
