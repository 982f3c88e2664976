"""Finished runs -> table.md, table.csv, table.tex and what belongs to them, in one folder."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from prnn_cli.errors import UserError
from prnn_cli.files import atomic_write, write_text
from prnn_cli.reporting.comparison import Comparison
from prnn_cli.reporting.measures import check_ranks
from prnn_cli.reporting.paper_table import footer, paper_table, plain_rows, significance_table, slice_table
from prnn_cli.reporting.rendering import TextTable, show_text_table, to_latex, to_markdown
from prnn_cli.reporting.runs import (
    FinishedRun,
    Row,
    comparable_sets,
    failed_row,
    gather_rows,
    in_papers_order,
    read_run,
)
from prnn_cli.reporting.sweep_jobs import SweepJob, names_of
from prnn_cli.reporting.tables import run_name, table_1
from prnn_cli.schema import TableConfig

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Section:
    """A table with its heading and the sentences beneath it."""

    heading: str
    table: TextTable
    notes: list[str] = field(default_factory=list)


def report_sweep(jobs: Sequence[SweepJob], config: TableConfig) -> None:
    """Into the sweep's folder. Does nothing where no job finished."""
    named = list(zip(names_of(jobs), jobs, strict=True))
    finished = [(name, read_run(job.folder)) for name, job in named if not job.failure]
    failed = [job.failed_row(name) for name, job in named if job.failure]
    if finished:
        write_report(jobs[0].folder.parent, finished, failed, config)


def report_runs(folder: Path, found: Sequence[Path], config: TableConfig) -> None:
    """Of any folders; lists those that hold no finished run. Raises `UserError` where none does."""
    runs, failed, skipped = [], [], []
    for path in found:
        try:
            run = read_run(path)
            check_ranks(run)
            runs.append(run)
        except UserError as error:
            skipped.append(f"{path}: {error}")
            if row := failed_row(path):
                failed.append(row)
    for sentence in skipped:
        log.warning("skipped %s", sentence)
    if not runs:
        raise UserError(
            f"none of {len(found)} folders holds a finished run of prnn train: {'; '.join(skipped[:3])}"
        )
    named = [(_name(run), run) for run in runs]
    write_report(folder, named, failed, config, skipped)


def write_report(
    folder: Path,
    named: Sequence[tuple[str, FinishedRun]],
    failed: Sequence[Row],
    config: TableConfig,
    skipped: Sequence[str] = (),
) -> None:
    """Runs that don't compare stand in tables of their own, the largest set first, together with the failed rows."""
    names = {id(run): name for name, run in named}
    comparisons: list[Comparison] = []
    repeated: list[str] = []
    for runs in comparable_sets([run for _, run in named]):
        rows, twice = gather_rows((names[id(run)], run) for run in runs)
        rows = _with_failures(rows, [] if comparisons else failed)
        comparisons.append(Comparison(rows, config))
        repeated += twice
    sections = [
        section for comparison in comparisons for section in sections_of(comparison, len(comparisons) > 1)
    ]
    for sentence in repeated:
        log.warning("left out %s", sentence)
    if len(comparisons) > 1:
        log.warning(
            "%d sets of runs rank other events or candidates, so each has a table of its own",
            len(comparisons),
        )
    left_out = [f"Left out: {sentence}" for sentence in [*skipped, *repeated]]
    write_text(
        folder / "table.md", "\n".join([*map(_markdown, sections), *(f"{each}\n" for each in left_out)])
    )
    mains = [paper_table(comparison) for comparison in comparisons]
    captions = [" ".join(footer(comparison)) for comparison in comparisons]
    write_text(folder / "table.tex", "\n".join(map(to_latex, mains, captions)))
    _write_csv(folder / "table.csv", [plain_rows(comparison) for comparison in comparisons])
    _write_csv(folder / "slices.csv", [slices(comparison) for comparison in comparisons])
    for table, comparison in zip(mains, comparisons, strict=True):
        show_text_table(table)
        print("\n".join(footer(comparison)))
    print(f"written to {folder}")


def sections_of(comparison: Comparison, is_one_of_several: bool) -> list[Section]:
    metrics = comparison.first.metrics
    which = f"{metrics['dataset']}, candidates: {metrics['candidates']}, ties: {metrics['tie_break']}"
    heading = f"Results on {which}" if is_one_of_several else "Results"
    sections = [
        Section(heading, paper_table(comparison), footer(comparison)),
        Section("Intervals and differences", significance_table(comparison)),
    ]
    for metric in comparison.metrics:
        of_support = comparison.measures.by_support(comparison.methods, metric)
        if of_support is not None:
            table = slice_table(comparison, of_support, "training events of the item")
            sections.append(Section(f"{metric} by item support", table))
        table = slice_table(
            comparison, comparison.measures.by_position(comparison.methods, metric), "clicks before"
        )
        sections.append(Section(f"{metric} by position in the session", table))
    if "data" in metrics:
        sections.append(Section("Data", _text(table_1(metrics["dataset"], metrics["data"]))))
    return sections


def slices(comparison: Comparison) -> pd.DataFrame:
    """Long: by, bin, method, metric, events, value."""
    frames = []
    for metric in comparison.metrics:
        for by, frame in (
            ("support", comparison.measures.by_support(comparison.methods, metric)),
            ("position", comparison.measures.by_position(comparison.methods, metric)),
        ):
            if frame is not None:
                named = frame.rename(columns=comparison.names).rename_axis("bin").reset_index()
                long = named.melt(["bin", "events"], var_name="method", value_name="value")
                frames.append(long.assign(by=by, metric=metric))
    return pd.concat(frames, ignore_index=True)


def _text(frame: pd.DataFrame) -> TextTable:
    lines = [
        [f"{value:,}" if isinstance(value, int) else str(value) for value in line]
        for line in frame.values.tolist()
    ]
    return TextTable([str(name) for name in frame.columns], lines)


def _markdown(section: Section) -> str:
    notes = "".join(f"{note}\n" for note in section.notes)
    return f"## {section.heading}\n\n{to_markdown(section.table)}" + (f"\n{notes}" if notes else "")


def _write_csv(path: Path, frames: Sequence[pd.DataFrame]) -> None:
    if len(frames) > 1:
        frames = [frame.assign(set=number) for number, frame in enumerate(frames, 1)]
    with atomic_write(path) as temporary:
        pd.concat(frames, ignore_index=True).to_csv(temporary, index=False)


def _with_failures(rows: Sequence[Row], failed: Sequence[Row]) -> list[Row]:
    """A failed seed stands by its row; a row of which every seed failed is a line of its own."""
    together = list(rows)
    for row in failed:
        known = next((other for other in together if other.name == row.name), None)
        if known:
            known.failures += row.failures
        else:
            together.append(row)
    return in_papers_order(together)


def _name(run: FinishedRun) -> str:
    """The label, else what the run is made of; seeds are told beneath the table."""
    if run.metrics["label"]:
        return str(run.metrics["label"])
    return run_name(run.metrics).rpartition(", seed ")[0] + ")"
