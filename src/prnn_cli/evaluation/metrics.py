"""Metrics: what a rank is worth, event by event. The mean over the events is the metric of a method.

Each is a function of ranks (E,), from 1, and of the cut-off k, and returns (E,) values. One event has one relevant
item, the one that was clicked next. An extension adds its own by a dict METRICS.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from prnn_cli.errors import UserError, first_line
from prnn_cli.extensions import chosen, fingerprint_of, registered
from prnn_cli.schema import EvaluationConfig

PAPERS_METRICS = ("recall", "mrr")  # always measured, at the paper's cut-off too, so that runs compare
PAPERS_CUTOFF = 20
ALWAYS_MEASURED = tuple(f"{name}@{PAPERS_CUTOFF}" for name in PAPERS_METRICS)

Metric = Callable[[np.ndarray, int], np.ndarray]


def recall(ranks: np.ndarray, k: int) -> np.ndarray:
    """recall@k = [rank <= k]: with one relevant item also the hit rate (Hidasi et al., RecSys 2016, section 5)."""
    return np.where(ranks <= k, 1, 0)


def mrr(ranks: np.ndarray, k: int) -> np.ndarray:
    """MRR@k = [rank <= k] / rank (Hidasi et al., RecSys 2016, section 5)."""
    return np.where(ranks <= k, 1 / ranks, 0)


def ndcg(ranks: np.ndarray, k: int) -> np.ndarray:
    """NDCG@k = [rank <= k] / log2(1 + rank), as the ideal list has gain 1 (Järvelin & Kekäläinen, TOIS 2002)."""
    return np.where(ranks <= k, 1 / np.log2(1 + ranks), 0)


METRICS: dict[str, Metric] = {"recall": recall, "mrr": mrr, "ndcg": ndcg, "hit": recall}


def value_of(metric: str, ranks: np.ndarray) -> np.ndarray:
    """(E,) values of a metric such as "recall@20"."""
    name, _, k = metric.partition("@")
    values: np.ndarray = chosen("METRICS", name, "evaluation.metrics")(ranks, int(k))
    return values


def measured_metrics(config: EvaluationConfig) -> list[str]:
    """["recall@20", "mrr@20", …]: what is asked for, and what is always measured."""
    names = dict.fromkeys([*PAPERS_METRICS, *config.metrics])
    return [f"{name}@{k}" for k in sorted({*config.cutoffs, PAPERS_CUTOFF}) for name in names]


def shown_metrics(names: Iterable[str], cutoffs: Iterable[int]) -> list[str]:
    """The columns of a table, in their order; of several names of one metric (recall, hit) the first."""
    known, distinct = registered("METRICS"), dict[Any, str]()
    for name in names:
        distinct.setdefault(known.get(name, name), name)
    return [f"{name}@{k}" for k in cutoffs for name in distinct.values()]


def check_metric(metric: Metric) -> None:
    """Checks a metric of ranks, which need not be whole numbers: no better rank is worth less."""
    for dtype in (np.float32, np.float64):
        ranks = np.array([1, 1.5, 2, 3, 19.5, 20, 21, 1000], dtype=dtype)
        values = np.asarray(metric(ranks, 20), dtype=np.float64)
        assert values.shape == ranks.shape, f"its values are {values.shape}, not one for each rank"
        assert np.isfinite(values).all(), "a value is not finite"
        assert (np.diff(values) <= 1e-9).all(), "a better rank is worth less"


def _check_extension(name: str, metric: Metric) -> None:
    try:
        check_metric(metric)
    except Exception as error:  # whatever an extension may do
        raise UserError(
            f"the metric {name} cannot be used: {type(error).__name__}, {first_line(error)}"
        ) from error


def check_measured(option: str, metric: str, config: EvaluationConfig) -> None:
    """Raises `UserError` where the metric that an option names is not measured."""
    measured = measured_metrics(config)
    if metric not in measured:
        raise UserError(
            f"{option}={metric} is not measured; choose one of {', '.join(measured)}, or add to evaluation.metrics and "
            "evaluation.cutoffs"
        )


def check_metrics(names: Sequence[str]) -> None:
    """Raises `UserError` for a name that is no metric, or stands there twice."""
    for name in names:
        metric = chosen("METRICS", name, "evaluation.metrics")
        if fingerprint_of("METRICS", name):
            _check_extension(name, metric)
    if not names or len(set(names)) < len(names):
        raise UserError(
            f"evaluation.metrics=[{','.join(names)}] cannot be measured; give different names, such as [recall,mrr]"
        )
