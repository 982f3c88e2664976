"""How well items are ranked that training has not seen, and the others: a part of metrics.json, and a table."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from prnn_cli.evaluation.methods import measure
from prnn_cli.evaluation.metrics import ALWAYS_MEASURED, PAPERS_METRICS, measured_metrics
from prnn_cli.evaluation.ranking import Ranks
from prnn_cli.reporting.table_formats import TextTable
from prnn_cli.reporting.tables import run_name
from prnn_cli.schema import EvaluationConfig

UNSEEN = ("cold", "warm")  # of metrics.json
CHANCE = "chance"  # a method that ranks all candidates at random


def measured_apart(
    ranks: Mapping[str, Ranks], support: np.ndarray, config: EvaluationConfig
) -> dict[str, Any]:
    """Metrics of the events whose target training has not seen (`cold`) and of the others (`warm`), by method; empty
    where no such item is a target.

    support: (num_items,) events in training
    """
    metrics = measured_metrics(config)
    is_cold = support[ranks["network"].target] == 0
    if not is_cold.any():
        return {}
    # A cold target is none of the N items of most support, so it stands beside them.
    limit = len(support) if config.candidates == "all" else config.candidates
    num_candidates = {"cold": min(limit + 1, len(support)), "warm": min(limit, len(support))}
    parts = {"cold": is_cold, "warm": ~is_cold}
    return {
        name: {"events": int(chosen.sum()), "items": int(((support == 0) == (name == "cold")).sum())}
        | {method: _numbers(of_method, chosen, metrics, config) for method, of_method in ranks.items()}
        | {
            CHANCE: {
                metric: _by_chance(metric, num_candidates[name]) for metric in metrics if _is_papers(metric)
            }
        }
        for name, chosen in parts.items()
        if chosen.any()
    }


def unseen_table(results: dict[str, Any]) -> TextTable | None:
    """A line for each method: the metrics of cold events, and of warm ones. None where there are no cold ones."""
    if "cold" not in results:
        return None
    parts = {name: results[name] for name in ("cold", "warm") if name in results}
    names = {**results["labels"], "network": run_name(results), CHANCE: "Chance"}
    frame = pd.DataFrame(
        [
            {"Method": label}
            | {
                f"{part} {metric}": f"{values[method][metric]:.4f}"
                for part, values in parts.items()
                for metric in ALWAYS_MEASURED
            }
            for method, label in names.items()
        ]
    )
    return TextTable.from_frame(frame)


def unseen_sentence(results: dict[str, Any]) -> str:
    """What cold and warm are; empty where there are no cold events."""
    if "cold" not in results:
        return ""
    cold, warm = results["cold"], results.get("warm", {"events": 0})
    how = results.get("new_items")
    rows = (
        f"{how['items']:,} of which have rows from {', '.join(how['features'])} (new_items.fit={how['fit']}, "
        f"boost={how['boost']:g})"
        if how
        else "whose rows mean nothing (new_items.fit=none, or no features)"
    )
    return (
        f"cold: {cold['events']:,} events on the {cold['items']:,} items that training has not seen, {rows}; "
        f"warm: the other {warm['events']:,}."
    )


def _numbers(
    ranks: Ranks, chosen: np.ndarray, metrics: Sequence[str], config: EvaluationConfig
) -> dict[str, float]:
    fields = {
        name: getattr(ranks, name)[chosen] for name in ("session", "position", "target", "better", "equal")
    }
    found = measure(Ranks(**fields), metrics, config.tie_break)
    return {name: found[name] for name in (*metrics, "tie_rate")}


def _is_papers(metric: str) -> bool:
    return metric.partition("@")[0] in PAPERS_METRICS


def _by_chance(metric: str, num_candidates: int) -> float:
    name, _, k = metric.partition("@")
    places = np.arange(1, min(int(k), num_candidates) + 1)
    return float((1 / places).sum() / num_candidates if name == "mrr" else len(places) / num_candidates)
