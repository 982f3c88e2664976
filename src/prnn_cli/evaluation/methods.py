"""The network and the baselines, ranked by one evaluator on the same events."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from prnn_cli.baselines.baseline import Baseline
from prnn_cli.data.prepare import PreparedData
from prnn_cli.data.sessions import Sessions
from prnn_cli.errors import RunError, UserError, first_line
from prnn_cli.evaluation.metrics import value_of
from prnn_cli.evaluation.rank_cache import RankCache
from prnn_cli.evaluation.ranking import Ranks
from prnn_cli.evaluation.replay import evaluate, evaluate_sharded
from prnn_cli.evaluation.ties import rank, tie_rate
from prnn_cli.extensions import chosen, fingerprint_of
from prnn_cli.features.table import FeatureTable
from prnn_cli.schema import EvaluationConfig
from prnn_cli.scoring import Scorer, check_scorer
from prnn_cli.system.distributed import process_group

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChosenBaseline:
    """A baseline that a configuration names.

    entry: what defines it; options: typed; features: by source, of one that uses them
    """

    name: str
    entry: Baseline
    options: Any
    features: Mapping[str, FeatureTable] = field(default_factory=dict)

    def fit(self, data: PreparedData) -> Scorer:
        """The scorer fitted on the part train."""
        extra = (self.features,) if self.entry.uses_features else ()
        return self.entry.fit(data.for_fitting(), self.options, *extra)

    @property
    def settings(self) -> dict[str, Any]:
        """What its ranks depend on beside data and candidates, as plain values."""
        settings = asdict(self.options)
        settings.pop("without_features", None)  # which decides whether it is ranked, and no rank
        if source := fingerprint_of("BASELINES", self.name):
            settings["source"] = source
        if self.entry.uses_features:
            settings["features"] = {name: table.content_hash for name, table in self.features.items()}
        return settings


def compare(
    network: Scorer,
    data: PreparedData,
    config: EvaluationConfig,
    baselines: Sequence[ChosenBaseline],
    device: torch.device,
    cache_dir: Path,
) -> dict[str, Ranks]:
    """Ranks of the network and of the baselines, by name. Those of the baselines are cached, and known to the main
    process alone."""
    sessions = sessions_to_rank(data, config.part)
    ranks = {network.name: _timed(evaluate_sharded, network, sessions, data, config, device)}
    if not process_group().is_main:
        return ranks
    for baseline in baselines:
        ranks[baseline.name] = ranks_of_baseline(baseline, data, config, device, cache_dir)
    return ranks


def ranks_of_baseline(
    baseline: ChosenBaseline,
    data: PreparedData,
    config: EvaluationConfig,
    device: torch.device,
    cache_dir: Path,
) -> Ranks:
    """Ranks of a baseline on the configured part, from the cache where it holds them."""
    sessions = sessions_to_rank(data, config.part)
    cache = RankCache.of(cache_dir, data.data_hash, baseline.name, baseline.settings, config)

    def rank() -> Ranks:
        with extension_explained(baseline.name):
            scorer = baseline.fit(data)
            if fingerprint_of("BASELINES", baseline.name):
                check_scorer(scorer, len(data.item_ids))
            return _timed(evaluate, scorer, sessions, data, config, device)

    return cache.get(sessions, rank)


@contextmanager
def extension_explained(name: str) -> Iterator[None]:
    """Makes a sentence of whatever goes wrong in a baseline of an extension; prnn's own would be a fault of prnn."""
    try:
        yield
    except (UserError, RunError):
        raise
    except Exception as error:
        if not fingerprint_of("BASELINES", name):
            raise
        raise RunError(
            f"the baseline {name} fails ({type(error).__name__}: {first_line(error)}); prnn check shows what is relied "
            "on; mend it, or leave it out of baselines=[…], and add resume=true"
        ) from error


def measure(ranks: Ranks, metrics: Sequence[str], tie_break: str) -> dict[str, float]:
    """The mean of each metric, `tie_rate` and `num_events`. Raises `UserError` without any event."""
    if ranks.num_events == 0:
        raise UserError(
            "there is no event to predict: no session of the evaluated part has two events with items "
            "known from training; make that part larger (docs/data.md, The parts)"
        )
    ranked = rank(ranks.better, ranks.equal, tie_break)
    means = {metric: float(np.mean(value_of(metric, ranked))) for metric in metrics}
    return means | {"tie_rate": tie_rate(ranks.equal), "num_events": ranks.num_events}


def labels_of(baselines: Iterable[str]) -> dict[str, str]:
    """Name -> how tables call it. Raises `UserError` where two have one label, or one has none."""
    labels: dict[str, str] = {name: chosen("BASELINES", name, "baselines").label for name in baselines}
    if not all(labels.values()) or len(set(labels.values())) < len(labels):
        raise UserError(
            f"tables could not tell the baselines apart by their labels {', '.join(map(repr, labels.values()))}; give "
            "each a label of its own"
        )
    return labels


def sessions_to_rank(data: PreparedData, part: str) -> Sessions:
    if part == "test":
        return data.test
    if data.validation is None:
        raise UserError(
            "evaluation.part=validation needs a validation part; train with dataset.validation_days=auto"
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
