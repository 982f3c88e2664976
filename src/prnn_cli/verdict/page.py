"""The page verdict.html: the answer, a figure of leads with their intervals, all tables; in one file, for a browser."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from prnn_cli.reporting.page import STYLE
from prnn_cli.reporting.table_formats import TextTable, to_html
from prnn_cli.verdict.claims import CANNOT_TELL, DOES_NOT_HELP, HELPS, Claim, Lead
from prnn_cli.verdict.tables import lead_told

ANSWERS = {
    HELPS: "Yes, they help",
    DOES_NOT_HELP: "No, they do not help",
    CANNOT_TELL: "This log cannot tell",
}
PLAIN = {
    HELPS: "The network that reads the items' features ranks what is clicked next higher than the best network without "
    "them, and higher than the same network with false features in their place.",
    DOES_NOT_HELP: "A network without the items' features, or the same network with false ones, is about as good or "
    "better.",
    CANNOT_TELL: "What the features change, if anything, is too little to be told from chance on this log.",
}
LACKING = "One of the networks that it must be compared with could not be trained."
MOST_TICKS = 5

OWN_STYLE = """
:root { --ahead: #18794e; --behind: #b42318; --unsure: #6b6b6b; --band: #f1f1f1; }
h1 { margin-bottom: .2rem; font-size: 1.3rem; font-weight: 500; color: var(--soft); }
.answer { font-size: 2.2rem; font-weight: 700; line-height: 1.2; margin: .2rem 0 .8rem; }
.helps { --own: var(--ahead); } .does_not_help { --own: var(--behind); } .cannot_tell { --own: var(--unsure); }
.answer { color: var(--own); }
.plain { font-size: 1.1rem; max-width: 45rem; }
.figure { margin: 1rem 0 .3rem; }
.row { display: grid; grid-template-columns: minmax(10rem, 18rem) 1fr 15rem; gap: .2rem 1rem; align-items: center; }
.row:nth-child(odd):not(.axis) { background: var(--band); }
.row > * { padding: .25rem .4rem; }
.row .value { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.plot { position: relative; height: 1.4rem; padding: 0 !important; }
.plot .line { position: absolute; top: calc(50% - 1.5px); height: 3px; background: var(--own); }
.plot .dot { position: absolute; top: calc(50% - 6px); width: 12px; height: 12px; margin-left: -6px;
  border-radius: 50%; background: var(--own); box-sizing: border-box; }
.hollow .dot { background: var(--page); border: 3px solid var(--own); }
.plot .zero { position: absolute; top: -.25rem; bottom: -.25rem; width: 1px; background: var(--ink); }
.plot .tick { position: absolute; transform: translateX(-50%); font-size: 12px; color: var(--soft);
  font-variant-numeric: tabular-nums; }
.ahead { --own: var(--ahead); } .behind { --own: var(--behind); } .unsure { --own: var(--unsure); }
.key { font-size: 14px; color: var(--soft); margin: .2rem 0 1rem; }
ul.notes { padding-left: 1.2rem; } ul.notes li { margin: .3rem 0; }
@media (max-width: 40rem) {
  .row { grid-template-columns: 1fr; gap: 0; }
  .row .plot { grid-row: 2; margin: 0 .6rem; }
  .row .value { font-size: 13px; text-align: left; color: var(--soft); }
  .answer { font-size: 1.7rem; }
}
@media (prefers-color-scheme: dark) {
  :root { --ahead: #4cc38a; --behind: #ff8a7a; --unsure: #a0a0a0; --band: #202020; }
}
"""


@dataclass(frozen=True)
class Bar:
    """A line of the figure. is_hollow: of the second kind of lead, where there are two"""

    label: str
    lead: Lead
    is_hollow: bool = False

    @property
    def stands(self) -> str:
        if self.lead.low > 0:
            return "ahead"
        return "behind" if self.lead.high < 0 else "unsure"


def page(
    title: str,
    claims: Sequence[Claim],
    sentences: Sequence[str],
    notes: Sequence[str],
    slices: Sequence[tuple[str, Sequence[Bar]]],
    tables: Sequence[tuple[str, TextTable]],
    small_print: Sequence[str],
) -> str:
    """The page's HTML.

    claims, sentences: of all clicks first; notes: to be read beside the answer; slices: figures under their headings
    """
    first, *others = list(zip(claims, sentences, strict=True))
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="answer {first[0].answer}">{ANSWERS[first[0].answer]}</p>',
        f'<p class="plain">{LACKING if first[0].lacks_rivals else PLAIN[first[0].answer]}</p>',
        f"<p>{escape(first[1])}</p>",
        figure([Bar(lead.over, lead) for lead in first[0].leads]),
        key(first[0]),
        '<ul class="notes">',
        *(f"<li>{escape(note)}</li>" for note in notes),
        "</ul>",
    ]
    for claim, told in others:
        parts += [
            f"<h2>On {escape(claim.events)}</h2>",
            f"<p>{escape(told)}</p>",
            figure([Bar(lead.over, lead) for lead in claim.leads]),
        ]
    for heading, bars in slices:
        parts += [f"<h2>{escape(heading)}</h2>", figure(bars)]
    if slices:
        parts.append(
            '<p class="key">Full dots: the lead over the network of IDs alone. Hollow dots: over the mean of the '
            "placebos. Each interval by itself, for information.</p>"
        )
    parts += [f"<h2>{escape(heading)}</h2>{to_html(table)}" for heading, table in tables]
    parts += ["<h2>How it was reached</h2>", *(f"<p>{escape(each)}</p>" for each in small_print)]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}{OWN_STYLE}</style></head><body>",
            *parts,
            "</body></html>",
            "",
        ]
    )


def key(claim: Claim) -> str:
    """How to read the figure."""
    return (
        '<p class="key">A dot is how far the network with features is ahead of a rival, the line where the true value '
        "is likely to lie; left of 0 it is behind. Features help if the lines of all five rivals lie right of 0: then "
        f"it is neither chance, nor a larger network. Measured on {claim.num_events:,} clicks of "
        f"{claim.num_sessions:,} sessions that no network was trained or chosen on.</p>"
    )


def figure(bars: Sequence[Bar]) -> str:
    """Leads with their intervals on one axis, a line each: dots and lines are placed in per cent of its width."""
    low = min(0.0, *(bar.lead.low for bar in bars))
    high = max(0.0, *(bar.lead.high for bar in bars))
    width = (high - low) or 1.0
    start, width = low - 0.04 * width, 1.08 * width

    def at(value: float) -> str:
        return f"{100 * (value - start) / width:.2f}%"

    lines = [_line(bar, at) for bar in bars]
    ticks = "".join(
        f'<span class="tick" style="left: {at(tick)}">{escape(_tick(tick))}</span>'
        for tick in _ticks(low, high)
    )
    axis = f'<div class="row axis"><span></span><div class="plot">{ticks}</div><span></span></div>'
    return f'<div class="figure">{"".join(lines)}{axis}</div>'


def _line(bar: Bar, at: Any) -> str:
    lead = bar.lead
    span = f"left: {at(lead.low)}; right: calc(100% - {at(lead.high)})"
    hollow = " hollow" if bar.is_hollow else ""
    return (
        f'<div class="row {bar.stands}{hollow}"><span class="label">{escape(bar.label)}</span>'
        f'<div class="plot"><i class="zero" style="left: {at(0)}"></i><i class="line" style="{span}"></i>'
        f'<i class="dot" style="left: {at(lead.value)}"></i></div>'
        f'<span class="value">{lead_told(lead)}</span></div>'
    )


def _ticks(low: float, high: float) -> list[float]:
    """Up to `MOST_TICKS` round values from low to high, 0 among them."""
    if high == low:
        return [0.0]
    step = 10.0 ** math.floor(math.log10((high - low) / MOST_TICKS))
    step *= next(factor for factor in (1, 2, 5, 10, 20) if (high - low) / (factor * step) <= MOST_TICKS - 1)
    return [number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _tick(value: float) -> str:
    return "0" if abs(value) < 1e-12 else f"{value:+.3g}".replace("-", "−")


def slices_of(slices: Sequence[Any], by: str) -> list[Bar]:
    """The bars of the slices that are told apart by `by`: over IDs, then over the placebos."""
    bars = []
    for each in (one for one in slices if one.by == by):
        label = f"{each.events} ({each.num_events:,} clicks)"
        bars += [Bar(label, each.over_ids), Bar("", each.over_placebos, is_hollow=True)]
    return bars


def settings_table(
    rows: Sequence[Mapping[str, Any]], shared: Sequence[str], versions: Mapping[str, str]
) -> TextTable:
    """What each network was trained with, and by which versions. shared: the overrides of all"""
    lines = [[str(row["name"]), " ".join(row["overrides"])] for row in rows]
    lines.append(["all", " ".join(shared)])
    lines.append(["versions", ", ".join(f"{name} {number}" for name, number in versions.items())])
    return TextTable(["network", "prnn train"], lines, "ll", rules={len(rows)})
