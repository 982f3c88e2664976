"""The contents of tables, from the summaries of data and the metrics of runs."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from prnn_cli.evaluation.metrics import shown_metrics
from prnn_cli.reporting.table_formats import TextTable, to_latex, to_markdown, write_csv
from prnn_cli.system.files import write_text


def table_1(name: str, summary: dict[str, Any]) -> pd.DataFrame:
    """Properties of the prepared data: a line of the paper's Table 1."""
    row: dict[str, Any] = {"Data": name}
    for part in ("train", "validation", "test"):
        if part in summary:
            row[f"{part} sessions"] = summary[part]["sessions"]
            row[f"{part} events"] = summary[part]["events"]
    return pd.DataFrame([row | {"items": summary["items"]}])


def write_table_1(folder: Path, properties: pd.DataFrame, below: str = "") -> None:
    """Writes table1.md, table1.csv and table1.tex. properties: lines of `table_1`; below: Markdown that follows"""
    table = TextTable.from_frame(properties)
    write_text(folder / "table1.md", to_markdown(table) + below)
    write_text(folder / "table1.tex", to_latex(table, "Properties of the datasets.", "tab:data"))
    write_csv(folder / "table1.csv", properties)


def one_line(summary: dict[str, Any]) -> str:
    """The properties of the prepared data as a sentence."""
    parts = [
        f"{part}: {summary[part]['sessions']:,} sessions, {summary[part]['events']:,} events"
        for part in ("train", "validation", "test")
        if part in summary
    ]
    return "; ".join([*parts, f"{summary['items']:,} items"])


def dropped_table(summary: dict[str, Any]) -> pd.DataFrame:
    """The rows read of a log, less what each rule dropped, down to the events kept, each counted once."""
    own = (
        "sessions" if summary.get("ranks_last_only") else "events"
    )  # the others of a session are of training
    kept = summary["train"]["events"]
    kept += sum(summary[part][own] for part in ("validation", "test") if part in summary)
    rows = [("rows read", summary["rows"])]
    rows += [(f"dropped: {reason}", count) for reason, count in summary["dropped"].items()]
    return pd.DataFrame([*rows, ("events kept", kept)], columns=["What", "events"])


def results_table(runs: Mapping[str, dict[str, Any]]) -> pd.DataFrame:
    """The table of the baselines, then each run by its name: values with the gain over one of them in parentheses.

    `runs` are the contents of metrics.json files that rank the same events in the same way.
    """
    first = next(iter(runs.values()))
    reference = first["baselines"].get(first["gain_over"])
    columns = shown_metrics(first["metrics"], first["cutoffs"])
    methods = [
        *((first["labels"][name], values) for name, values in first["baselines"].items()),
        *runs.items(),
    ]
    return pd.DataFrame(
        [
            {"Method": name}
            | {key: _with_gain(values, reference, key) for key in columns}
            | {"tie rate": f"{values['tie_rate']:.2%}"}
            for name, values in methods
        ]
    )


def run_name(metrics: dict[str, Any]) -> str:
    """The run's label, else what it is made of."""
    if metrics["label"]:
        return str(metrics["label"])
    return (
        f"{metrics['arch']} ({metrics['strategy']}, {metrics['hidden_size']} units, seed {metrics['seed']})"
    )


def epochs_text(train: Mapping[str, Any]) -> str:
    """The passes over the training part, "10+10" where subnets learned in passes of their own; "" of older runs.

    train: of metrics.json
    """
    return "+".join(map(str, train.get("epochs", {}).values()))


def weights_text(weights: Mapping[str, float]) -> str:
    """Weights of subnets as "text 0.5, image 0"."""
    return ", ".join(f"{name} {weight:g}" for name, weight in weights.items())


def gain(value: float, reference: float) -> float | None:
    """The share by which a value is above its reference; None where that is 0."""
    return value / reference - 1 if reference else None


def _with_gain(values: Mapping[str, float], reference: Mapping[str, float] | None, metric: str) -> str:
    text = f"{values[metric]:.4f}"
    if reference is None or values is reference:
        return text
    relative = gain(values[metric], reference[metric])
    return text if relative is None or math.isnan(relative) else f"{text} ({signed_percent(relative)})"


def signed(value: float, digits: int = 4) -> str:
    """A value as "+0.0150" or "−0.0150"."""
    return f"{value:+.{digits}f}".replace("-", "−")


def signed_percent(share: float) -> str:
    """A share as "+1.50%" or "−1.50%"."""
    return f"{share:+.2%}".replace("-", "−")
