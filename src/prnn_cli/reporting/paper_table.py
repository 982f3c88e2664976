"""A comparison as the paper prints it: the table of results, and that of intervals and differences."""

from prnn_cli.reporting.beside_published import BesidePublished
from prnn_cli.reporting.comparison import Comparison
from prnn_cli.reporting.runs import Row
from prnn_cli.reporting.significance import Difference
from prnn_cli.reporting.table_formats import TextTable
from prnn_cli.reporting.tables import signed, signed_percent

FEW_BASELINES = 3  # more of them stand under a heading


def paper_table(comparison: Comparison) -> TextTable:
    """Values with their gain in parentheses, the best bold, item-kNN first; why a row failed stands in the footer."""
    config, metrics = comparison.config, comparison.metrics
    header = ["Method", *metrics, "tie rate", "epochs", "updates"]
    header += ["parameters"] if config.parameters else []
    header += ["events/s"] if config.events_per_s else []
    beside = BesidePublished([comparison], comparison.mean)
    header += beside.header(metrics) if beside.is_shown else []
    table = TextTable(header, spare=["tie rate", "epochs"])
    if len(comparison.baselines) > FEW_BASELINES:
        table.headings.add(0)
        table.lines.append(["Baselines"])
    for name, values in comparison.baselines.items():
        _add_line(table, comparison, name, f"{values['tie_rate']:.2%}", _extra(comparison, beside, name))
    group = ""
    for row in comparison.rows:
        if row.group != group:
            table.rules.add(len(table.lines))
            group = row.group
        if row.runs:
            extra = _extra(comparison, beside, row.name, row)
            _add_line(table, comparison, row.name, f"{row.tie_rate:.2%}", extra)
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


def _extra(comparison: Comparison, beside: BesidePublished, method: str, row: Row | None = None) -> list[str]:
    config, first = comparison.config, (row.runs[0] if row else comparison.first).metrics
    cells = [row.epochs, "" if row.updates is None else f"{row.updates:,}"] if row else ["", ""]
    if config.parameters:
        cells.append(f"{first['num_parameters']:,}" if row else "")
    if config.events_per_s:
        cells.append(f"{row.events_per_s:,.0f}" if row else "")
    if beside.is_shown:
        cells += beside.cells(method, comparison.metrics)
    return cells


def significance_table(comparison: Comparison) -> TextTable:
    """Intervals of every method, and each row's difference to the ID-only row that it is compared with."""
    share = f"{comparison.config.confidence:.0%}"
    header = ["Method"]
    for metric in comparison.metrics:
        header += [f"{metric}, {share} interval", "difference", "to", "p (Holm)"]
    table = TextTable(header, align="l" + "rrlr" * len(comparison.metrics))
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
        return ["", "", ""]
    return [with_interval(difference), difference.over, f"{difference.p:.3f}"]


def with_interval(difference: Difference) -> str:
    """A difference as "+0.0120 (−0.0010 to +0.0250)"."""
    numbers = (difference.value, difference.low, difference.high)
    value, low, high = map(signed, numbers)
    return f"{value} ({low} to {high})"
