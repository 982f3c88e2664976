"""What is known of public logs -> the table and the page that show it, on a terminal and in the docs."""

import re
from collections.abc import Iterable

from prnn_cli.data.public_logs import PublicLog
from prnn_cli.reporting.table_formats import TextTable, markdown_text, to_markdown

INTRODUCTION = """\
# Public logs

<!-- written by scripts/write_docs.py from configs/dataset/ -->

`prnn train dataset=NAME dataset.path=DIR` reads a public log from the folder that holds its files as they are
published; without `dataset.path` from `$PRNN_DATA_DIR/NAME`, or `data/NAME`. `prnn datasets` lists the logs and says
whether their files are there, `prnn datasets NAME` says how to get one, and `prnn fetch NAME` gets one of the few whose
address is known, into that folder. `prnn preprocess dataset=NAME` then tells what was read, what was dropped, and what
undermines conclusions.

No log was at hand when the presets were written: each is tested on a small log of its schema, and *verified* says what
was looked up where, and what was not.
"""
BEGIN, END = "<!-- public logs: written by scripts/write_docs.py -->", "<!-- end of public logs -->"
UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def logs_table(logs: Iterable[PublicLog], shows_files: bool) -> TextTable:
    """A line for each log. shows_files: a column says whether the files are where they are looked for"""
    header = ["dataset=", "what", "events", "items have", "licence"] + (["files"] if shows_files else [])
    table = TextTable(header, align="llrll" + "l" * shows_files, spare=["what", "licence"])
    for log in logs:
        source = log.source
        cells = [log.name, source.title, short_count(source.events), log.described_by, _short(source.licence)]
        table.lines.append([*cells, *(["here" if log.is_here else "–"] if shows_files else [])])
    return table


def details(log: PublicLog) -> list[tuple[str, str]]:
    """What its config tells of a log, as (heading, text)."""
    source = log.source
    counts = [
        f"{count:,} {what}"
        for count, what in (
            (source.events, "events"),
            (source.sessions, "sessions or users"),
            (source.items, "items"),
        )
        if count
    ]
    return [
        ("what", log.about),
        ("page", source.page),
        ("licence", source.licence),
        ("size", ": ".join([source.size, ", ".join(counts)]) if counts else source.size),
        ("items have", log.described_by or "nothing but their ids"),
        ("test part", log.split),
        ("verified", source.verified),
    ]


def commands(log: PublicLog) -> list[str]:
    """The commands to begin with."""
    begun = [f"prnn preprocess dataset={log.name}"]
    if log.source.features != "none":
        features = f"dataset={log.name} features={log.source.features}"
        return [*begun, f"prnn train {features} recipe=cross_entropy", f"prnn verdict {features}"]
    return [*begun, f"prnn train dataset={log.name} arch=id_only recipe=cross_entropy"]


def page(logs: Iterable[PublicLog]) -> str:
    """docs/datasets.md."""
    logs = list(logs)
    parts = [
        INTRODUCTION,
        to_markdown(logs_table(logs, shows_files=False)),
        *map(_section, logs),
    ]
    return "\n".join(parts)


def _section(log: PublicLog) -> str:
    told = [f"- **{heading}:** {markdown_text(text)}" for heading, text in details(log)[1:]]
    files = [f"- `{name}`: {markdown_text(what)}" for name, what in log.files.items()]
    begin = "\n".join(commands(log))
    return (
        f"## {log.name}\n\n{markdown_text(log.about)}\n\n" + "\n".join(told) + "\n\nFiles:\n\n" + "\n".join(files)
        + f"\n\n```\n{begin}\n```\n"
    )  # fmt: skip


def with_table(readme: str, logs: Iterable[PublicLog]) -> str:
    """README with its table of public logs, which stands between two comments."""
    head, _, rest = readme.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{to_markdown(logs_table(logs, shows_files=False))}{END}{tail}"


def short_count(count: int | None) -> str:
    """A count as "33.0 M" or "165 k"; empty for None."""
    if count is None:
        return ""
    return next((f"{count / by:.3g} {unit}" for by, unit in UNITS if count >= by), str(count))


def _short(licence: str) -> str:
    """The first clause of a licence."""
    return re.split(r"[(;]|, ", licence)[0].strip()
