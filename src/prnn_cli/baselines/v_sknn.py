"""V-SKNN: S-kNN that weighs a click by how recent it is, when it seeks neighbours and when it scores their items.

    sim(s, n) = Σ_{j ∈ s ∩ n} w(j)                    (dot)   or that / √(Σ_{j ∈ s} w(j)² · |n|)   (cosine)
    score(i)  = Σ_n sim(s, n) · r(s, n) · (1 + idf_weighting · idf(i)),   over the k most similar n that hold i

w(j) falls from the last click of s to the first (`weighting`), r(s, n) from the last to the latest one that n holds
(`weighting_score`); idf(i) = log(S / sessions that hold i). Ludewig and Jannach, "Evaluation of session-based
recommendation algorithms" (UMUAI 2018); idf from session-rec ("Empirical analysis of session-based recommendation
algorithms", UMUAI 2021). An item that s holds twice counts as its later click. `session_neighbours` tells shapes and
cost.
"""

from dataclasses import dataclass

import numpy as np

from prnn_cli.baselines.baseline import Baseline
from prnn_cli.baselines.session_neighbours import SessionNeighbours, Weights
from prnn_cli.baselines.training_sessions import NeighbourOptions, TrainingSessions, check_neighbours
from prnn_cli.baselines.weightings import CLICK_WEIGHTS, STEP_WEIGHTS
from prnn_cli.data.prepare import PreparedData
from prnn_cli.schema import bounded, one_of


@dataclass
class VSKnnOptions(NeighbourOptions):
    """`baselines.v_sknn.*`; `weightings` has the formulas of the two weightings."""

    similarity: str = one_of("dot", "cosine")
    weighting: str = one_of(*CLICK_WEIGHTS)
    weighting_score: str = one_of(*STEP_WEIGHTS)
    idf_weighting: float = bounded(at_least=0)


def fit(data: PreparedData, options: VSKnnOptions) -> SessionNeighbours:
    """The scorer of the sessions of the part train."""

    def weights(training: TrainingSessions) -> Weights:
        is_cosine = options.similarity == "cosine"
        return Weights(
            click=CLICK_WEIGHTS[options.weighting],
            session=1 / np.sqrt(training.sizes) if is_cosine else np.ones(training.num_sessions),
            reach=STEP_WEIGHTS[options.weighting_score],
            item=1 + options.idf_weighting * training.idf if options.idf_weighting else None,
        )

    return SessionNeighbours("v_sknn", data, options, weights)


def check(data: PreparedData, options: VSKnnOptions) -> None:
    """Raises `UserError` for options that the data do not allow."""
    check_neighbours(data, options, "baselines.v_sknn")


BASELINES = {"v_sknn": Baseline("V-SKNN", fit, VSKnnOptions, check)}
