"""What a verdict leaves: verdict.json for programs, verdict.md for people."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from prnn_cli.reporting.table_formats import TextTable, markdown_text, to_markdown
from prnn_cli.reporting.tables import signed, signed_percent
from prnn_cli.reporting.terminal import say, show
from prnn_cli.run_folder import read_json
from prnn_cli.system.files import write_json, write_text
from prnn_cli.verdict.claims import DOES_NOT_HELP, HELPS, Claim, Lead

FORMAT = 1
FILE = "verdict.json"


def sentence(claim: Claim, metric: str, network: str, interest: float) -> str:
    """The claim in words."""
    weakest, where = claim.deciding, f" on {claim.events}" if claim.events else ""
    told = f"{signed(weakest.value)} ({signed(weakest.low)} to {signed(weakest.high)})"
    against = f"{network} against {weakest.over}"
    if claim.answer == HELPS:
        share = f", {signed_percent(weakest.value / weakest.reached)}" if weakest.reached else ""
        return f"Item features help{where}: {metric} rises by {told}{share}; {against}, the closest of its rivals."
    least = interest * weakest.reached
    if claim.answer == DOES_NOT_HELP:
        return (
            f"Item features do not help{where}: a gain of {least:.4f} in {metric} ({interest:.0%}) is ruled out; "
            f"{against}: {told}."
        )
    return (
        f"This log cannot tell whether item features help{where}: {metric} differs by {told} ({against}), and a gain "
        f"below {claim.smallest:.4f} would not have been seen."
    )


def write_verdict(
    folder: Path,
    claims: Sequence[Claim],
    network: str,
    facts: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    """Writes both files. claims: of all events first; facts: what verdict.json says beside them; rows: of its table"""
    first, metric, interest = claims[0], facts["metric"], facts["interest"]
    sentences = [sentence(claim, metric, network, interest) for claim in claims]
    decides = first.deciding
    write_json(
        folder / FILE,
        {
            "format": FORMAT,
            "answer": first.answer,
            "sentence": sentences[0],
            "effect": decides.value,
            "interval": [decides.low, decides.high],
            "smallest_detectable": first.smallest,
            "placebo_effect": facts["placebo_effect"],
            "slices": [
                {"events": claim.events, "answer": claim.answer, "sentence": told}
                | {
                    key: [asdict(each) for each in leads]
                    for key, leads in (("leads", claim.leads), ("beside", claim.beside))
                }
                for claim, told in zip(claims, sentences, strict=True)
            ],
            "rows": list(rows),
        }
        | dict(facts),
    )
    write_text(folder / "verdict.md", _markdown(claims, sentences, network, facts, rows))


def show_verdict(folder: Path) -> None:
    """Prints the sentences and the leads of a verdict."""
    parts = read_json(folder / FILE)["slices"]
    for part in parts:
        say(part["sentence"])
    for part in parts:
        leads, beside = ([Lead(**each) for each in part[key]] for key in ("leads", "beside"))
        print()
        show(leads_table(leads, beside), title=part["events"] or "all clicks")
    print(f"written to {folder}")


def _markdown(
    claims: Sequence[Claim],
    sentences: Sequence[str],
    network: str,
    facts: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
) -> str:
    parts = [f"# {markdown_text(sentences[0])}\n", *(f"{markdown_text(each)}\n" for each in sentences[1:])]
    parts.append(f"## {network} and its rivals\n")
    parts += [
        f"On {claim.events or 'all clicks'}:\n\n{to_markdown(leads_table(claim.leads, claim.beside))}"
        for claim in claims
    ]
    parts.append(
        f"Each interval has an error of {facts['level'] / facts['num_claims'] / len(facts['looks']):.2%}: "
        f"{facts['level']:.0%}, divided by {facts['num_claims']} claims and {len(facts['looks'])} looks. Seeds: "
        f"{facts['seeds']}. What leads IDs alone but not a placebo is capacity, not content.\n"
    )
    parts.append(f"## All that was trained\n\n{to_markdown(rows_table(rows, facts['metric']))}")
    if facts["failures"]:
        failed = (f"- {markdown_text(f'{key}: {reason}')}\n" for key, reason in facts["failures"].items())
        parts.append(f"## Failed\n\n{''.join(failed)}")
    return "\n".join(parts)


def leads_table(decide: Sequence[Lead], beside: Sequence[Lead]) -> TextTable:
    """The leads over each rival, first those that decide."""
    leads = [*decide, *beside]
    return TextTable(
        ["lead over", "lead", "interval", "would have been seen from"],
        [[each.over, signed(each.value), _interval(each), f"{each.smallest:.4f}"] for each in leads],
        rules={len(decide)} if beside else set(),
    )


def _interval(each: Lead) -> str:
    return f"{signed(each.low)} to {signed(each.high)}"


def rows_table(rows: Sequence[Mapping[str, Any]], metric: str) -> TextTable:
    """A line for each row: its metric on the hold-out and on the test part."""
    lines = [
        [
            str(row["name"]),
            "" if row["hold_out"] is None else f"{row['hold_out']:.4f}",
            ", ".join(f"{value:.4f}" for value in row["test"]),
        ]
        for row in rows
    ]
    return TextTable(["network", f"{metric}, hold-out", f"{metric}, test part, by seed"], lines)
