"""S-kNN: the items of the training sessions that share most items with the session so far.

    sim(s, n) = |s ∩ n| / √(|s| · |n|)   (cosine)   or   |s ∩ n| / |s ∪ n|   (jaccard)
    score(i)  = Σ_n sim(s, n),   over the k most similar n that hold i

Jannach and Ludewig, "When Recurrent Neural Networks meet the Neighborhood for Session-Based Recommendation" (RecSys
2017). Sessions are sets of items. `session_neighbours` tells shapes and cost.
"""

from dataclasses import dataclass

import numpy as np

from prnn_cli.baselines.baseline import Baseline
from prnn_cli.baselines.session_neighbours import SessionNeighbours, Weights
from prnn_cli.baselines.training_sessions import NeighbourOptions, TrainingSessions, check_neighbours
from prnn_cli.baselines.weightings import ones
from prnn_cli.data.prepare import PreparedData
from prnn_cli.schema import one_of


@dataclass
class SKnnOptions(NeighbourOptions):
    """`baselines.s_knn.*`."""

    similarity: str = one_of("cosine", "jaccard")


def fit(data: PreparedData, options: SKnnOptions) -> SessionNeighbours:
    """The scorer of the sessions of the part train."""

    def weights(training: TrainingSessions) -> Weights:
        is_jaccard = options.similarity == "jaccard"
        return Weights(
            click=ones,
            session=np.ones(training.num_sessions) if is_jaccard else 1 / np.sqrt(training.sizes),
            reach=ones,
            is_jaccard=is_jaccard,
        )

    return SessionNeighbours("s_knn", data, options, weights)


def check(data: PreparedData, options: SKnnOptions) -> None:
    """Raises `UserError` for options that the data do not allow."""
    check_neighbours(data, options, "baselines.s_knn")


BASELINES = {"s_knn": Baseline("S-kNN", fit, SKnnOptions, check)}
