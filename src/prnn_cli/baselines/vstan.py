"""VSTAN: STAN with what V-SKNN adds to S-kNN.

    score(i) = Σ_n sim(s, n) · exp(−|p(i, n) − p(i*, n)| / λ_inh) · exp(−(l − p(s, n)) / λ_ipw) · (1 + λ_idf · idf(i))

with STAN's sim, or without the square root (similarity=dot); p(s, n) is the position of the latest click of s that n
holds, of l, and idf(i) = log(S / sessions that hold i). Ludewig, Mauro, Latifi and Jannach, "Empirical analysis of
session-based recommendation algorithms" (UMUAI 2021). `session_neighbours` tells shapes and cost.
"""

from dataclasses import dataclass, replace

from prnn_cli.baselines import stan
from prnn_cli.baselines.baseline import Baseline
from prnn_cli.baselines.session_neighbours import SessionNeighbours, Weights
from prnn_cli.baselines.stan import StanOptions, decay, of_ages
from prnn_cli.baselines.training_sessions import TrainingSessions, check_neighbours
from prnn_cli.data.prepare import PreparedData
from prnn_cli.schema import bounded, one_of


@dataclass
class VstanOptions(StanOptions):
    """`baselines.vstan.*`; lambda_ipw in clicks, null: without the factor."""

    similarity: str = one_of("cosine", "dot")
    lambda_ipw: float | None = bounded(above=0)
    lambda_idf: float = bounded(at_least=0)


def weights(training: TrainingSessions, options: VstanOptions) -> Weights:
    """The factors of VSTAN's formula."""
    of_reach, of_stan = decay(options.lambda_ipw), stan.weights(training, options)
    return replace(
        of_stan,
        session=of_stan.session if options.similarity == "cosine" else of_ages(training, options.lambda_snh),
        reach=lambda steps: of_reach(steps - 1),
        item=1 + options.lambda_idf * training.idf if options.lambda_idf else None,
    )


def fit(data: PreparedData, options: VstanOptions) -> SessionNeighbours:
    """The scorer of the sessions of the part train."""
    return SessionNeighbours("vstan", data, options, lambda training: weights(training, options))


def check(data: PreparedData, options: VstanOptions) -> None:
    """Raises `UserError` for options that the data do not allow."""
    check_neighbours(data, options, "baselines.vstan", options.lambda_snh)


BASELINES = {"vstan": Baseline("VSTAN", fit, VstanOptions, check)}
