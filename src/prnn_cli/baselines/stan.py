"""STAN: nearest sessions that weigh clicks, sessions and items by their distance in sequence and time.

    w(j)      = exp(−(l − p(j, s)) / λ_spw)                        of the click j of s, the p-th of l
    sim(s, n) = Σ_{j ∈ s ∩ n} w(j) / √(Σ_{j ∈ s} w(j)² · |n|) · exp(−(t_s − t_n) / λ_snh)
    score(i)  = Σ_n sim(s, n) · exp(−|p(i, n) − p(i*, n)| / λ_inh),   over the k most similar n that hold i

p is the position of the latest click on an item, i* the item of s that n clicked last, t the time of a session's last
click, in days. Garg, Gupta, Malhotra, Vig and Shroff, "Sequence and Time Aware Neighborhood for Session-based
Recommendations: STAN" (SIGIR 2019). A λ of null leaves its factor out. As t_s scales all neighbours of a session alike,
and so changes no rank, the last time of training stands for it. `session_neighbours` tells shapes and cost.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from prnn_cli.baselines.baseline import Baseline
from prnn_cli.baselines.session_neighbours import SessionNeighbours, Weights
from prnn_cli.baselines.training_sessions import NeighbourOptions, TrainingSessions, check_neighbours
from prnn_cli.baselines.weightings import ones
from prnn_cli.data.prepare import PreparedData
from prnn_cli.schema import bounded

OLDEST = 700  # λ_snh: older sessions count as these, whose factor is about the least that a float holds


@dataclass
class StanOptions(NeighbourOptions):
    """`baselines.stan.*`; lambda_snh in days, the others in clicks, null: without the factor."""

    lambda_spw: float | None = bounded(above=0)
    lambda_snh: float | None = bounded(above=0)
    lambda_inh: float | None = bounded(above=0)


def decay(rate: float | None) -> Callable[[np.ndarray], np.ndarray]:
    """exp(−distance / rate), and 1 where rate is None."""
    if rate is None:
        return ones
    return lambda distance: np.exp(-distance / rate)


def of_ages(training: TrainingSessions, rate: float | None) -> np.ndarray:
    """The decay of the training sessions by their ages."""
    return decay(rate)(training.age if rate is None else np.minimum(training.age, OLDEST * rate))


def weights(training: TrainingSessions, options: StanOptions) -> Weights:
    """The factors of STAN's formula."""
    of_click = decay(options.lambda_spw)
    return Weights(
        click=lambda position, length: of_click(length - position),
        session=of_ages(training, options.lambda_snh) / np.sqrt(training.sizes),
        reach=ones,
        gap=None if options.lambda_inh is None else decay(options.lambda_inh),
    )


def fit(data: PreparedData, options: StanOptions) -> SessionNeighbours:
    """The scorer of the sessions of the part train."""
    return SessionNeighbours("stan", data, options, lambda training: weights(training, options))


def check(data: PreparedData, options: StanOptions) -> None:
    """Raises `UserError` for options that the data do not allow."""
    check_neighbours(data, options, "baselines.stan", options.lambda_snh)


BASELINES = {"stan": Baseline("STAN", fit, StanOptions, check)}
