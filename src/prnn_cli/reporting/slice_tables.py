"""A slice as text tables: the values with their intervals, and the differences to ID-only rows."""

from collections.abc import Sequence

from prnn_cli.reporting.comparison import Comparison
from prnn_cli.reporting.paper_table import with_interval
from prnn_cli.reporting.slices import MIN_SESSIONS, SUPPORT, Slice
from prnn_cli.reporting.table_formats import TextTable


def heading(each: Slice) -> str:
    """The slice's name, such as "recall@20 by item support"."""
    return f"{each.metric} by {'item support' if each.by == SUPPORT else 'position in the session'}"


def values_table(comparison: Comparison, each: Slice) -> TextTable:
    """A line for each method, a column for each bin with its number of events; the best of a bin is bold."""
    events = ["events", *(f"{count:,}" for count in each.events.values())]
    lines = [[comparison.names[method], *_values(comparison, each, method)] for method in comparison.methods]
    best = {name: max(each.means[method, name] for method in comparison.methods) for name in each.bins}
    return TextTable(
        [each.by, *each.bins],
        [events, *lines],
        rules={1},
        bold={
            (line, column)
            for line, method in enumerate(comparison.methods, 1)
            for column, name in enumerate(each.bins, 1)
            if each.means[method, name] == best[name]
        },
    )


def _values(comparison: Comparison, each: Slice, method: str) -> list[str]:
    cells = []
    for name in each.bins:
        text = f"{each.means[method, name]:.4f}"
        if known := each.intervals.get((method, name)):
            text += f" ({known[0]:.4f} – {known[1]:.4f})"
        difference = each.differences.get((method, name))
        cells.append(text + (difference.mark(1 - comparison.config.confidence) if difference else ""))
    return cells


def differences_table(each: Slice) -> TextTable:
    """A line for each row that is compared with an ID-only one: the difference and p in each bin."""
    rows = dict.fromkeys(row for row, _ in each.differences)
    lines = []
    for row in rows:
        found = [each.differences.get((row, name)) for name in each.bins]
        over = next(difference.over for difference in found if difference)
        cells = [f"{with_interval(one)}, p {one.p:.3f}" if one else "" for one in found]
        lines.append([row, over, *cells])
    return TextTable([each.by, "compared with", *each.bins], lines, align="ll" + "r" * len(each.bins))


def notes(comparison: Comparison, each: Slice) -> list[str]:
    """Sentences that state what the intervals and signs of a slice are."""
    config = comparison.config
    sentences = [
        f"In parentheses: {config.confidence:.0%} intervals, paired bootstrap over sessions, {each.resamples:,} "
        "resamples."
    ]
    if each.differences:
        sentences.append(
            f"* above, † below the same ID-only row as in the table of results, at the "
            f"{1 - config.confidence:.0%} level; corrected by Holm's method for all rows and bins of this table "
            f"({len(each.differences)} tests)."
        )
    if few := [name for name, sessions in each.sessions.items() if sessions < MIN_SESSIONS]:
        sentences.append(
            f"Without an interval or a test, as they have events of fewer than {MIN_SESSIONS} sessions: {_listed(few)}."
        )
    return sentences


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
