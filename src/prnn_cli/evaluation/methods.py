"""The network and the baselines, ranked by one evaluator on the same events."""

import dataclasses
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from prnn_cli.baselines.item_knn import ItemKnn
from prnn_cli.baselines.markov import Markov
from prnn_cli.baselines.popularity import Popularity
from prnn_cli.data.prepare import PreparedData
from prnn_cli.data.sessions import Sessions
from prnn_cli.errors import UserError
from prnn_cli.evaluation.rank_cache import RankCache
from prnn_cli.evaluation.ranking import Ranks
from prnn_cli.evaluation.replay import Scorer, evaluate, evaluate_sharded
from prnn_cli.schema import EvaluationConfig
from prnn_cli.system.distributed import process_group

log = logging.getLogger(__name__)


def compare(
    network: Scorer,
    data: PreparedData,
    config: EvaluationConfig,
    device: torch.device,
    cache_dir: Path,
) -> dict[str, Ranks]:
    """Ranks of the network and of item-kNN, Markov and popularity, by name; those of the baselines are cached, and
    known to the process that writes."""
    sessions = sessions_to_rank(data, config.part)
    ranks = {network.name: _timed(evaluate_sharded, network, sessions, data, config, device)}
    if not process_group().is_main:
        return ranks
    for name, (settings, fit) in _baselines(data, config).items():
        cache = RankCache.of(cache_dir, data.data_hash, name, settings, config)

        def rank(fit: Callable[[], Scorer] = fit) -> Ranks:
            return _timed(evaluate, fit(), sessions, data, config, device)

        ranks[name] = cache.get(sessions, rank)
    return ranks


def _baselines(
    data: PreparedData, config: EvaluationConfig
) -> dict[str, tuple[dict[str, Any], Callable[[], Scorer]]]:
    """Name -> its settings, and how to make it."""
    return {
        "item_knn": (
            dataclasses.asdict(config.item_knn),
            lambda: ItemKnn.fit(data.train, config.item_knn),
        ),
        "markov": ({}, lambda: Markov.fit(data.train)),
        "popularity": ({}, lambda: Popularity.fit(data.train)),
    }


def sessions_to_rank(data: PreparedData, part: str) -> Sessions:
    if part == "test":
        return data.test
    if data.validation is None:
        raise UserError(
            "evaluation.part=validation needs a validation part; train with dataset.validation_days=N"
        )
    return data.validation


def _timed(
    evaluator: Callable[..., Ranks],
    scorer: Scorer,
    sessions: Sessions,
    data: PreparedData,
    config: EvaluationConfig,
    device: torch.device,
) -> Ranks:
    started = time.perf_counter()
    ranks = evaluator(scorer, sessions, data.support, config, device)
    seconds = time.perf_counter() - started
    log.info("ranked %s events with %s in %.1f s", f"{ranks.num_events:,}", scorer.name, seconds)
    return ranks
