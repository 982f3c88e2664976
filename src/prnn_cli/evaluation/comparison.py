"""The network and the baselines, ranked by one evaluator on the same events."""

import logging
import time

import torch

from prnn_cli.baselines.item_knn import ItemKnn
from prnn_cli.baselines.markov import Markov
from prnn_cli.baselines.popularity import Popularity
from prnn_cli.data.prepare import PreparedData
from prnn_cli.data.sessions import Sessions
from prnn_cli.errors import UserError
from prnn_cli.evaluation.ranking import Ranks
from prnn_cli.evaluation.replay import Scorer, evaluate
from prnn_cli.schema import EvaluationConfig

log = logging.getLogger(__name__)


def compare(
    network: Scorer, data: PreparedData, config: EvaluationConfig, device: torch.device
) -> dict[str, Ranks]:
    """Ranks of the network and of item-kNN, Markov and popularity, by name."""
    sessions = sessions_to_rank(data, config.part)
    scorers: list[Scorer] = [
        network,
        ItemKnn.fit(data.train, config.item_knn),
        Markov.fit(data.train),
        Popularity.fit(data.train),
    ]
    return {scorer.name: _timed(scorer, sessions, data, config, device) for scorer in scorers}


def sessions_to_rank(data: PreparedData, part: str) -> Sessions:
    if part == "test":
        return data.test
    if data.validation is None:
        raise UserError(
            "evaluation.part=validation needs a validation part; train with dataset.validation_days=N"
        )
    return data.validation


def _timed(
    scorer: Scorer, sessions: Sessions, data: PreparedData, config: EvaluationConfig, device: torch.device
) -> Ranks:
    started = time.perf_counter()
    ranks = evaluate(scorer, sessions, data.support, config, device)
    seconds = time.perf_counter() - started
    log.info("ranked %s events with %s in %.1f s", f"{ranks.num_events:,}", scorer.name, seconds)
    return ranks
