"""The page summary.html: tables, figures, settings and environment of a comparison, in one file."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from prnn_cli.reporting.comparison import Comparison
from prnn_cli.reporting.runs import Row
from prnn_cli.reporting.sections import Section
from prnn_cli.reporting.table_formats import TextTable, to_html

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #111; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 14px; display: block; overflow-x: auto; }
th, td { padding: .25rem .7rem; text-align: left; vertical-align: top; font-variant-numeric: tabular-nums; }
:is(th, td):first-child, .number { white-space: nowrap; }
.number { text-align: right; }
th { border-bottom: 2px solid #111; }
tr.rule td { border-top: 1px solid #999; }
img { max-width: 100%; }
p.note { margin: .2rem 0; color: #444; }
"""


def page(comparisons: Sequence[Comparison], sections: Sequence[Section], figures: Mapping[str, Path]) -> str:
    """The page's HTML: the first section, the figures, the other sections. figures: PNG files by title"""
    title = " and ".join(dict.fromkeys(_title(comparison) for comparison in comparisons))
    main = sections[0]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            _section(main),
            *(_figure(name, path) for name, path in figures.items()),
            *(_section(section) for section in sections[1:]),
            "<h2>Settings</h2>",
            *(to_html(settings(comparison)) for comparison in comparisons),
            "<h2>Environment</h2>",
            *(to_html(environment(comparison)) for comparison in comparisons),
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


def _section(section: Section) -> str:
    notes = "\n".join(f'<p class="note">{escape(note)}</p>' for note in section.notes)
    return f"<h2>{escape(section.heading)}</h2>\n{to_html(section.table)}{notes}"


def _figure(title: str, path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return f'<h2>{escape(title)}</h2>\n<img alt="{escape(title)}" src="data:image/png;base64,{data}">'


def _setting(row: Row, key: str) -> str:
    return str(row.runs[0].settings.get(key))
