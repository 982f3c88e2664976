"""A comparison as frames of plain numbers: table.csv and slices.csv."""

from typing import Any

import pandas as pd

from prnn_cli.reporting.beside_published import BesidePublished
from prnn_cli.reporting.comparison import Comparison
from prnn_cli.reporting.runs import Row
from prnn_cli.reporting.significance import Difference


def plain_rows(comparison: Comparison) -> pd.DataFrame:
    """A line for each method: its settings, metrics, intervals, differences, or why it failed."""
    lines: list[dict[str, Any]] = []
    beside = BesidePublished([comparison], comparison.mean)
    for method in comparison.baselines:
        lines.append(
            {
                "method": comparison.names[method],
                "status": "done",
                "dataset": comparison.first.metrics["dataset"],
            }
        )
        lines[-1] |= _numbers(comparison, beside, method) | {
            "tie_rate": comparison.baselines[method]["tie_rate"]
        }
    for row in comparison.rows:
        lines.append({"method": row.name, "status": "done" if row.runs else "failed"})
        if row.runs:
            lines[-1] |= _described(row) | _numbers(comparison, beside, row.name)
        lines[-1] |= {"reason": "; ".join(dict.fromkeys(row.failures))}
    # Baselines have none, and numpy's integers no gaps.
    return pd.DataFrame(lines).astype({"updates": "Int64", "num_parameters": "Int64"})


def plain_slices(comparison: Comparison) -> pd.DataFrame:
    """A line for each bin, method and metric: the value, and what it is uncertain by."""
    return pd.DataFrame(
        [
            {"bin": name, "events": each.events[name], "sessions": each.sessions[name]}
            | {"method": comparison.names[method], "value": each.means[method, name]}
            | dict(zip(("low", "high"), each.intervals.get((method, name), (None, None)), strict=True))
            | _of_difference(each.differences.get((method, name)))
            | {"by": each.by, "metric": each.metric}
            for each in comparison.slices
            for method in comparison.methods
            for name in each.bins
        ]
    )


def _of_difference(difference: Difference | None, prefix: str = "") -> dict[str, Any]:
    """The columns of a difference; None in each where the method is compared with no row."""
    names = {"difference": "value", "difference_low": "low", "difference_high": "high", "p": "p"}
    names |= {"compared_with": "over"}
    return {f"{prefix}{name}": getattr(difference, source, None) for name, source in names.items()}


def _described(row: Row) -> dict[str, Any]:
    first = row.runs[0].metrics
    keys = ("dataset", "experiment", "row", "arch", "strategy", "features", "hidden_size")
    return {key: first.get(key) for key in keys} | {
        "epochs": row.epochs,
        "updates": row.updates,
        "seeds": " ".join(str(run.metrics["seed"]) for run in row.runs),
        "num_parameters": first["num_parameters"],
        "events_per_s": round(row.events_per_s, 1),
        "tie_rate": row.tie_rate,
    }


def _numbers(comparison: Comparison, beside: BesidePublished, method: str) -> dict[str, Any]:
    numbers: dict[str, Any] = {}
    for metric in comparison.metrics:
        estimate = comparison.estimate(method, metric)
        numbers |= {metric: estimate.mean, f"{metric}_std": estimate.deviation}
        numbers |= {f"{metric}_low": estimate.low, f"{metric}_high": estimate.high}
        numbers[f"{metric}_gain"] = comparison.gain(method, metric)
        if beside.is_shown:
            numbers[f"{metric}_published"] = beside.value(method, metric)
        numbers |= _of_difference(comparison.differences.get((method, metric)), f"{metric}_")
    return numbers
