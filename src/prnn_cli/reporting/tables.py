"""Tables as the paper prints them, from summaries and metrics."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from prnn_cli.evaluation.metrics import shown_metrics


def table_1(name: str, summary: dict[str, Any]) -> pd.DataFrame:
    """Properties of the prepared data (the paper's Table 1)."""
    row: dict[str, Any] = {"Data": name}
    for part in ("train", "validation", "test"):
        if part in summary:
            row[f"{part} sessions"] = summary[part]["sessions"]
            row[f"{part} events"] = summary[part]["events"]
    return pd.DataFrame([row | {"items": summary["items"]}])


def one_line(summary: dict[str, Any]) -> str:
    parts = [
        f"{part}: {summary[part]['sessions']:,} sessions, {summary[part]['events']:,} events"
        for part in ("train", "validation", "test")
        if part in summary
    ]
    return "; ".join([*parts, f"{summary['items']:,} items"])


def dropped_table(summary: dict[str, Any]) -> pd.DataFrame:
    """Rows read, less what each rule dropped, are the events kept."""
    kept = sum(summary[part]["events"] for part in ("train", "validation", "test") if part in summary)
    rows = [("rows read", summary["rows"])]
    rows += [(f"dropped: {reason}", count) for reason, count in summary["dropped"].items()]
    return pd.DataFrame([*rows, ("events kept", kept)], columns=["What", "events"])


def results_table(runs: Mapping[str, dict[str, Any]]) -> pd.DataFrame:
    """The baselines, then each run by its name: values with the gain over one of them in parentheses.

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


def gain(value: float, reference: float) -> float | None:
    """Relative; None where the reference is 0."""
    return value / reference - 1 if reference else None


def markdown(frame: pd.DataFrame) -> str:
    cells = frame.map(_cell).map(lambda cell: cell.replace("|", "\\|"))
    lines = [list(frame.columns), ["---"] * len(frame.columns), *cells.values.tolist()]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def show(frame: pd.DataFrame, title: str = "") -> None:
    table = Table(title=title or None, title_justify="left")
    for position, column in enumerate(frame.columns):
        is_words = position == 0 or column in ("Item", "Text")
        table.add_column(column, justify="left" if is_words else "right")
    for row in frame.map(_cell).values.tolist():
        table.add_row(*map(Text, row))  # as text, brackets are no markup
    print_table(table)


def print_table(table: Table) -> None:
    """To stdout, as wide as it takes: a terminal that is too narrow wraps lines, but no number is cut."""
    console = Console()
    console.width = max(console.width, Measurement.get(console, Console(width=10_000).options, table).maximum)
    # Not console.print, which makes a closed pipe an exit of its own.
    with console.capture() as printed:
        console.print(table)
    print(printed.get(), end="")


def _with_gain(values: Mapping[str, float], reference: Mapping[str, float] | None, metric: str) -> str:
    text = f"{values[metric]:.4f}"
    if reference is None or values is reference:
        return text
    relative = gain(values[metric], reference[metric])
    return text if relative is None or math.isnan(relative) else f"{text} ({signed_percent(relative)})"


def signed_percent(share: float) -> str:
    return f"{share:+.2%}".replace("-", "−")


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
