"""The tables of a verdict."""

from collections.abc import Mapping, Sequence
from typing import Any

from prnn_cli.reporting.table_formats import TextTable
from prnn_cli.reporting.tables import signed
from prnn_cli.verdict.claims import Lead
from prnn_cli.verdict.findings import Findings
from prnn_cli.verdict.judging import Judgement


def tables_of(findings: Findings) -> list[tuple[str, TextTable]]:
    """All tables under their headings."""
    found = [
        (
            f"{findings.network.name} over its rivals, on {claim.events or 'all clicks'}",
            leads_table(claim.leads),
        )
        for claim in findings.claims
    ]
    found.append(("All networks", rows_table(findings.rows, findings.settings.metric)))
    if baselines := findings.judgement.over_baselines:
        found.append(("Beside baselines, at their defaults", _baselines_table(baselines)))
    found.append(("By support and position, for information", _slices_table(findings.judgement)))
    return found


def leads_table(leads: Sequence[Lead]) -> TextTable:
    """The leads over each rival."""
    return TextTable(
        ["lead over", "lead", "interval", "mostly seen from"],
        [[each.over, signed(each.value), _interval(each), f"{each.smallest:.4f}"] for each in leads],
    )


def lead_told(lead: Lead) -> str:
    """A lead and its interval."""
    return f"{signed(lead.value)} ({_interval(lead)})"


def _interval(each: Lead) -> str:
    return f"{signed(each.low)} to {signed(each.high)}"


def _baselines_table(leads: Sequence[Lead]) -> TextTable:
    lines = [[each.over, f"{each.reached:.4f}", signed(each.value), _interval(each)] for each in leads]
    return TextTable(["baseline", "reaches", "the p-RNN's lead", "interval"], lines)


def _slices_table(judgement: Judgement) -> TextTable:
    lines = [
        [
            f"{each.events} ({each.by})",
            f"{each.num_events:,}",
            signed(each.over_ids.value),
            _interval(each.over_ids),
            signed(each.over_placebos.value),
            _interval(each.over_placebos),
        ]
        for each in judgement.slices
    ]
    header = ["clicks", "number", "over IDs", "interval", "over its placebos", "interval"]
    return TextTable(header, lines)


def rows_table(rows: Sequence[Mapping[str, Any]], metric: str) -> TextTable:
    """A line for each row: its metric on the hold-out and on the test part."""
    lines = [
        [
            str(row["name"]),
            "" if row["hold_out"] is None else f"{row['hold_out']:.4f}",
            ", ".join(f"{value:.4f}" for value in row["test"]),
            "+".join(map(str, row["epochs"])),
            "" if row["num_parameters"] is None else f"{row['num_parameters']:,}",
            "" if row["seconds"] is None else f"{row['seconds']:,.0f}",
        ]
        for row in rows
    ]
    header = ["network", f"{metric}, hold-out", "test part, by seed", "epochs", "parameters", "seconds"]
    return TextTable(header, lines)
