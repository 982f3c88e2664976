"""Item-kNN: the items that share most sessions with the last click, as in Hidasi et al. (RecSys 2016).

    s_ij = C_ij / ((supp_i + λ)^α (supp_j + λ)^(1 - α)),   s_ii = 0

C_ij counts the sessions that hold both i and j, supp_i those that hold i, however often they click it.
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
class ItemKnnOptions:
    """`baselines.item_knn.*`. num_neighbours: that are kept of each item; regularisation: λ; alpha: α"""

    num_neighbours: int = bounded(at_least=1)
    regularisation: float = bounded(at_least=0)
    alpha: float = bounded(at_least=0, at_most=1)


class ItemKnn(LastClickScorer):
    """Scores by the similarity s_ij of the last click i."""

    @classmethod
    def fit(cls, sessions: Sessions, config: ItemKnnOptions) -> "ItemKnn":
        """Keeps each item's `num_neighbours` most similar items; of equal ones those of lower index."""
        held = session_item_matrix(sessions)
        held.data[:] = 1
        holders = held.T.tocsr()  # (num_items, num_sessions)
        support = np.diff(holders.indptr) + config.regularisation
        of_item, of_other = support**config.alpha, support ** (1 - config.alpha)
        blocks = []
        with meter("fitting item_knn", sessions.num_items) as progress:
            for rows in blocks_of_items(held, holders):
                similarity = holders[rows] @ held
                shared, item, other = similarity.data, rows_of(similarity) + rows.start, similarity.indices
                similarity.data = (shared / (of_item[item] * of_other[other])).astype(np.float32)
                similarity.data[item == other] = 0
                blocks.append(strongest(similarity, config.num_neighbours))
                progress.update(rows.stop, "items")
        return cls("item_knn", sparse.vstack(blocks, format="csr"))


BASELINES = {
    "item_knn": Baseline("Item-kNN", lambda data, options: ItemKnn.fit(data.train, options), ItemKnnOptions)
}
