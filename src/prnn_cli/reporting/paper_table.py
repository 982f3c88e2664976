"""A comparison as the paper prints it: text tables, and the footer that states the method."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from prnn_cli.reporting.comparison import Comparison, Difference
from prnn_cli.reporting.published import published, published_value
from prnn_cli.reporting.runs import Row
from prnn_cli.reporting.table_formats import TextTable
from prnn_cli.reporting.tables import signed_percent


def paper_table(comparison: Comparison) -> TextTable:
    """Values with their gain in parentheses, the best bold, item-kNN first; why a row failed stands in the footer."""
    config, metrics = comparison.config, comparison.metrics
    header = ["Method", *metrics, "tie rate"]
    header += ["parameters"] if config.parameters else []
    header += ["events/s"] if config.events_per_s else []
    header += [f"paper's {metric}, other data" for metric in metrics] if _shows_published(comparison) else []
    table = TextTable(header, spare=["tie rate"])
    for name, values in comparison.baselines.items():
        _add_line(table, comparison, name, f"{values['tie_rate']:.2%}", _extra(comparison, name))
    group = ""
    for row in comparison.rows:
        if row.group != group:
            table.rules.add(len(table.lines))
            group = row.group
        if row.runs:
            _add_line(table, comparison, row.name, f"{row.tie_rate:.2%}", _extra(comparison, row.name, row))
        else:
            table.lines.append([row.name, "failed"])
    return table


def _add_line(table: TextTable, comparison: Comparison, method: str, tie_rate: str, extra: list[str]) -> None:
    cells = [_cell(comparison, method, metric) for metric in comparison.metrics]
    for column, metric in enumerate(comparison.metrics, 1):
        if comparison.mean(method, metric) == comparison.best(metric):
            table.bold.add((len(table.lines), column))
    table.lines.append([comparison.names[method], *cells, tie_rate, *extra])


def _cell(comparison: Comparison, method: str, metric: str) -> str:
    estimate, gain = comparison.estimate(method, metric), comparison.gain(method, metric)
    text = f"{estimate.mean:.4f}"
    if estimate.deviation is not None:
        text += f" ± {estimate.deviation:.4f}"
    if gain is not None:
        text += f" ({signed_percent(gain)})"
    difference = comparison.differences.get((method, metric))
    return text + (difference.mark(1 - comparison.config.confidence) if difference else "")


def _extra(comparison: Comparison, method: str, row: Row | None = None) -> list[str]:
    config, first = comparison.config, (row.runs[0] if row else comparison.first).metrics
    cells = []
    if config.parameters:
        cells.append(f"{first['num_parameters']:,}" if row else "")
    if config.events_per_s:
        cells.append(f"{row.events_per_s:,.0f}" if row else "")
    if _shows_published(comparison):
        key = first.get("row") if row else method
        values = [published_value(first.get("experiment"), key, metric) for metric in comparison.metrics]
        cells += ["" if value is None else f"{value:.4f}" for value in values]
    return cells


def _shows_published(comparison: Comparison) -> bool:
    """Whether the paper's values are asked for, and it has the experiment."""
    experiments = {run.metrics.get("experiment") for row in comparison.finished for run in row.runs}
    return comparison.config.published and bool(
        experiments & set(published().index.get_level_values("table"))
    )


def significance_table(comparison: Comparison) -> TextTable:
    """Intervals of every method, and each row's difference to the strongest ID-only row."""
    share = f"{comparison.config.confidence:.0%}"
    header = ["Method"]
    for metric in comparison.metrics:
        header += [f"{metric}, {share} interval", "difference to the strongest ID only", "p (Holm)"]
    table = TextTable(header)
    for method in comparison.methods:
        cells = [comparison.names[method]]
        for metric in comparison.metrics:
            estimate = comparison.estimate(method, metric)
            cells.append(f"{estimate.low:.4f} – {estimate.high:.4f}")
            cells += _difference(comparison.differences.get((method, metric)))
        table.lines.append(cells)
    return table


def _difference(difference: Difference | None) -> list[str]:
    if difference is None:
        return ["", ""]
    numbers = (difference.low, difference.value, difference.high)
    low, value, high = (f"{each:+.4f}".replace("-", "−") for each in numbers)
    return [f"{value} ({low} to {high})", f"{difference.p:.3f}"]


def slice_table(comparison: Comparison, slices: pd.DataFrame, of: str) -> TextTable:
    """A line for each method, a column for each bin of `slices` with its number of events."""
    table = TextTable(
        [of, *map(str, slices.index)], [["events", *(f"{count:,}" for count in slices["events"])]]
    )
    for method in comparison.methods:
        table.lines.append([comparison.names[method], *(f"{value:.4f}" for value in slices[method])])
    table.rules.add(1)
    for column in range(1, len(table.header)):
        values = [comparison_line[column] for comparison_line in table.lines[1:]]
        table.bold |= {(i, column) for i, value in enumerate(values, 1) if value == max(values)}
    return table


def footer(comparison: Comparison) -> list[str]:
    """Sentences that state how the table was measured."""
    config, metrics = comparison.config, comparison.first.metrics
    runs = [run.metrics for row in comparison.finished for run in row.runs]
    found = (comparison.reference(metric) for metric in comparison.metrics)
    references = dict.fromkeys(comparison.names[reference] for reference in found if reference)
    rates = [run["tie_rate"] for run in runs]
    sentences = [
        f"Gains over {' and '.join(references)} in parentheses, best values bold."
        if references
        else "Best values bold.",
        f"Data: {metrics['dataset']}; {metrics['num_test_events']:,} {metrics['part']} events "
        f"of {comparison.measures.events['session_index'].nunique():,} sessions; "
        f"candidates: {_candidates(metrics)}; ties: {metrics['tie_break']}, "
        f"tie rate {_span(rates)} of the networks{_tie_rate_of_baseline(comparison)}.",
        f"Features: {_listed(run['features'] for run in runs if run['features'] != 'none') or 'none'}; "
        f"seeds: {_listed(run['seed'] for run in runs)}"
        + (", mean ± standard deviation." if any(len(row.runs) > 1 for row in comparison.finished) else "."),
    ]
    if config.gain_over == "id_only" and comparison.strongest_id_only(comparison.metrics[0]) is None:
        sentences.append(
            f"No ID-only row is among them, so gains are over {' and '.join(references) or 'nothing'}."
        )
    if comparison.differences:
        sentences.append(
            f"* above, † below the strongest ID-only row ({_strongest(comparison)}) at the "
            f"{1 - config.confidence:.0%} level: paired bootstrap over sessions, {config.resamples:,} resamples, "
            f"corrected by Holm's method for as many rows as there are besides ({len(comparison.finished) - 1}). "
            "It tells how far other sessions would bear a difference out, not other seeds."
        )
    if _shows_published(comparison):
        sentences.append("The paper's values were measured on other data; they are for orientation.")
    sentences += [
        f"Failed: {row.name}: {reason}" for row in comparison.rows for reason in dict.fromkeys(row.failures)
    ]
    return sentences


def _tie_rate_of_baseline(comparison: Comparison) -> str:
    name = comparison.main_baseline
    return f", {comparison.baselines[name]['tie_rate']:.2%} of {comparison.names[name]}" if name else ""


def _span(shares: Sequence[float]) -> str:
    low, high = f"{min(shares):.2%}", f"{max(shares):.2%}"
    return low if low == high else f"{low} to {high}"


def _strongest(comparison: Comparison) -> str:
    by_metric = {metric: str(comparison.strongest_id_only(metric)) for metric in comparison.metrics}
    if len(set(by_metric.values())) == 1:
        return next(iter(by_metric.values()))
    return ", ".join(f"{name} by {metric}" for metric, name in by_metric.items())


def _candidates(metrics: dict[str, Any]) -> str:
    candidates, items = metrics["candidates"], metrics.get("data", {}).get("items")
    if candidates == "all":
        return "all items" if items is None else f"all {items:,} items"
    if items is not None and int(candidates) >= items:
        return f"the {int(candidates):,} items of most training support, here all {items:,}"
    return f"the {int(candidates):,} items of most training support"


def _listed(values: Any) -> str:
    return ", ".join(map(str, sorted(set(values))))
