"""A comparison as frames of plain numbers: table.csv and slices.csv."""

from typing import Any

import pandas as pd

from prnn_cli.reporting.comparison import Comparison
from prnn_cli.reporting.runs import Row


def plain_rows(comparison: Comparison) -> pd.DataFrame:
    """A line for each method: its settings, metrics, intervals, differences, or why it failed."""
    lines: list[dict[str, Any]] = []
    for method in comparison.baselines:
        lines.append(
            {
                "method": comparison.names[method],
                "status": "done",
                "dataset": comparison.first.metrics["dataset"],
            }
        )
        lines[-1] |= _numbers(comparison, method) | {"tie_rate": comparison.baselines[method]["tie_rate"]}
    for row in comparison.rows:
        lines.append({"method": row.name, "status": "done" if row.runs else "failed"})
        if row.runs:
            lines[-1] |= _described(row) | _numbers(comparison, row.name)
        lines[-1] |= {"reason": "; ".join(dict.fromkeys(row.failures))}
    return pd.DataFrame(lines)


def plain_slices(comparison: Comparison) -> pd.DataFrame:
    """A line for each bin, method and metric: bin, events, method, value, by, metric."""
    frames = []
    for metric, by, frame in comparison.slices():
        named = frame.rename(columns=comparison.names).rename_axis("bin").reset_index()
        long = named.melt(["bin", "events"], var_name="method", value_name="value")
        frames.append(long.assign(by=by, metric=metric))
    return pd.concat(frames, ignore_index=True)


def _described(row: Row) -> dict[str, Any]:
    first = row.runs[0].metrics
    keys = ("dataset", "experiment", "row", "arch", "strategy", "features", "hidden_size", "epochs")
    return {key: first.get(key) for key in keys} | {
        "seeds": " ".join(str(run.metrics["seed"]) for run in row.runs),
        "num_parameters": first["num_parameters"],
        "events_per_s": round(row.events_per_s, 1),
        "tie_rate": row.tie_rate,
    }


def _numbers(comparison: Comparison, method: str) -> dict[str, Any]:
    numbers: dict[str, Any] = {}
    for metric in comparison.metrics:
        estimate = comparison.estimate(method, metric)
        numbers |= {metric: estimate.mean, f"{metric}_std": estimate.deviation}
        numbers |= {f"{metric}_low": estimate.low, f"{metric}_high": estimate.high}
        numbers[f"{metric}_gain"] = comparison.gain(method, metric)
        if difference := comparison.differences.get((method, metric)):
            numbers[f"{metric}_difference"] = difference.value
            numbers[f"{metric}_p"] = difference.p
    return numbers
