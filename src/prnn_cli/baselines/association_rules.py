"""Association rules of two items: how often j is clicked in the sessions that hold the last click i.

    score(j) = Σ_n Σ_{x ≠ y} 1[n_x = i] · 1[n_y = j]

over the training sessions n and pairs of their clicks, which may be on the same item. Kamehkhosh, Jannach and Ludewig,
"A Comparison of Frequent Pattern Techniques and a Deep Learning Method for Session-Based Recommendation" (TempRec
2017).

Cost of fitting: the pairs of items of all sessions. Memory: (num_items, num_items) sparse, at most `num_rules` a row.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from prnn_cli.baselines.baseline import Baseline
from prnn_cli.baselines.last_click import LastClickScorer
from prnn_cli.baselines.pairs_of_items import blocks_of_items, rows_of, session_item_matrix, strongest
from prnn_cli.data.sessions import Sessions
from prnn_cli.schema import bounded
from prnn_cli.system.progress import meter


@dataclass
class AssociationRulesOptions:
    """`baselines.association_rules.*`. num_rules: that are kept of each item, the strongest"""

    num_rules: int = bounded(at_least=1)


class AssociationRules(LastClickScorer):
    """Scores by the rules of the last click."""

    @classmethod
    def fit(cls, sessions: Sessions, options: AssociationRulesOptions) -> "AssociationRules":
        """Counts the pairs of clicks; of equally strong rules those to items of lower index are kept."""
        clicks = session_item_matrix(sessions)
        of_item = clicks.T.tocsr()  # (num_items, num_sessions)
        support = np.asarray(clicks.sum(axis=0)).ravel()
        blocks = []
        with meter("fitting association_rules", sessions.num_items) as progress:
            for rows in blocks_of_items(clicks, of_item):
                pairs = of_item[rows] @ clicks
                item = rows_of(pairs) + rows.start
                # A click makes no pair with itself.
                pairs.data = (pairs.data - np.where(item == pairs.indices, support[item], 0)).astype(
                    np.float32
                )
                blocks.append(strongest(pairs, options.num_rules))
                progress.update(rows.stop, "items")
        return cls("association_rules", sparse.vstack(blocks, format="csr"))


BASELINES = {
    "association_rules": Baseline(
        "Association rules",
        lambda data, options: AssociationRules.fit(data.train, options),
        AssociationRulesOptions,
    )
}
