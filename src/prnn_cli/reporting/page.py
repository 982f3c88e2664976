"""The page summary.html: tables, figures, settings and environment of a comparison, in one file."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from prnn_cli.reporting.comparison import Comparison
from prnn_cli.reporting.figures import Picture
from prnn_cli.reporting.runs import Row
from prnn_cli.reporting.sections import Section
from prnn_cli.reporting.table_formats import TextTable, to_html

STYLE = """
:root { color-scheme: light dark; --page: #fff; --ink: #111; --soft: #444; --rule: #999; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem;
  color: var(--ink); background: var(--page); }
nav { font-size: 14px; columns: 16rem; }
nav ul { margin: 0; padding-left: 1rem; }
a { color: inherit; }
h2 a { text-decoration: none; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 14px; display: block; overflow-x: auto; }
th, td { padding: .25rem .7rem; text-align: left; vertical-align: top; font-variant-numeric: tabular-nums; }
:is(th, td):first-child { position: sticky; left: 0; background: var(--page); }
.number { white-space: nowrap; text-align: right; }
th { border-bottom: 2px solid var(--ink); }
tr.rule td { border-top: 1px solid var(--rule); }
img { max-width: 100%; }
p.note { margin: .2rem 0; color: var(--soft); }
@media (min-width: 40rem) { :is(th, td):first-child { white-space: nowrap; } }
@media (prefers-color-scheme: dark) {
  :root { --page: #161616; --ink: #e6e6e6; --soft: #b4b4b4; --rule: #777; }
  img { filter: invert(.91); }
}
"""


@dataclass(frozen=True)
class Part:
    """A part of the page under a heading of its own. key: what a link to it ends in"""

    key: str
    heading: str
    html: str


def page(comparisons: Sequence[Comparison], sections: Sequence[Section], pictures: Sequence[Picture]) -> str:
    """The page's HTML: contents, the first section, the figures, the other sections."""
    title = " and ".join(dict.fromkeys(_title(comparison) for comparison in comparisons))
    tables = [Part(each.key, each.heading, _section(each)) for each in sections]
    figures = [Part(each.name, each.title, _figure(each)) for each in pictures]
    parts = [
        *tables[:1],
        *figures,
        *tables[1:],
        Part("settings", "Settings", "".join(to_html(settings(comparison)) for comparison in comparisons)),
        Part("environment", "Environment", "".join(to_html(environment(each)) for each in comparisons)),
    ]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            "<nav><ul>",
            *(f"<li>{_link(part)}</li>" for part in parts),
            "</ul></nav>",
            *(f'<h2 id="{part.key}">{_link(part)}</h2>\n{part.html}' for part in parts),
            "</body></html>",
            "",
        ]
    )


def settings(comparison: Comparison) -> TextTable:
    """The settings that all rows share, then, key by key, those that tell them apart."""
    rows = comparison.finished
    keys = sorted({key for row in rows for key in row.runs[0].settings})
    shared = [key for key in keys if len({_setting(row, key) for row in rows}) == 1]
    own = [key for key in keys if key not in shared]
    lines = [[key, _setting(rows[0], key)] for key in shared]
    lines += [[key, "; ".join(f"{row.name}: {_setting(row, key)}" for row in rows)] for key in own]
    return TextTable(["option", "value"], lines, "ll", rules={len(shared)} if own and shared else set())


def environment(comparison: Comparison) -> TextTable:
    """The device, data, versions and speed of each run."""
    header = ["run", "device", "data", "git commit", "versions", "seconds of training", "folder"]
    lines = []
    for row in comparison.finished:
        for run in row.runs:
            metrics = run.metrics
            versions = ", ".join(f"{name} {number}" for name, number in metrics.get("versions", {}).items())
            seconds = metrics["train"].get("seconds")
            cells = [
                metrics.get("device", ""),
                metrics["data_hash"],
                metrics.get("git_commit") or "",
                versions,
            ]
            cells += ["" if seconds is None else f"{seconds:,.1f}", run.folder.name]
            lines.append([f"{row.name}, seed {metrics['seed']}", *cells])
    return TextTable(header, lines, "lllllrl")


def _title(comparison: Comparison) -> str:
    metrics = comparison.first.metrics
    return f"{metrics.get('experiment') or 'Runs'} on {metrics['dataset']}"


def _link(part: Part) -> str:
    return f'<a href="#{part.key}">{escape(part.heading)}</a>'


def _section(section: Section) -> str:
    notes = "\n".join(f'<p class="note">{escape(note)}</p>' for note in section.notes)
    return f"{to_html(section.table)}{notes}"


def _figure(picture: Picture) -> str:
    wide, narrow = (
        f"data:image/png;base64,{base64.b64encode(content).decode('ascii')}"
        for content in (picture.wide, picture.narrow)
    )
    return (
        f'<picture><source media="(max-width: 40rem)" srcset="{narrow}">'
        f'<img alt="{escape(picture.title)}" src="{wide}"></picture>'
    )


def _setting(row: Row, key: str) -> str:
    return str(row.runs[0].settings.get(key))
