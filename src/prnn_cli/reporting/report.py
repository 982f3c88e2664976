"""Finished runs -> table.md, table.csv, table.tex, figures and summary.html, in one folder."""

import logging
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import pandas as pd

from prnn_cli.errors import UserError
from prnn_cli.reporting.comparable import comparable_sets, reasons_apart
from prnn_cli.reporting.comparison import Comparison
from prnn_cli.reporting.event_values import check_ranks
from prnn_cli.reporting.figures import write_figures
from prnn_cli.reporting.page import page
from prnn_cli.reporting.plain import plain_rows, plain_slices
from prnn_cli.reporting.runs import (
    FinishedRun,
    Row,
    failed_row,
    gather_rows,
    in_papers_order,
    read_run,
    runs_at,
)
from prnn_cli.reporting.sections import sections_of
from prnn_cli.reporting.sweep_jobs import SweepJob, job_names
from prnn_cli.reporting.table_formats import markdown_text, write_csv
from prnn_cli.reporting.tables import run_name, table_1, write_table_1
from prnn_cli.reporting.terminal import say, show
from prnn_cli.reporting.windows import plain_windows, section_of, windows_of
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import TableConfig
from prnn_cli.system.files import write_text

log = logging.getLogger(__name__)


def report_sweep(jobs: Sequence[SweepJob], config: TableConfig) -> None:
    """Writes the report of a sweep into its folder; none where no job finished.

    Of a table's rows, those that finished in the folder before stand beside those of today.
    """
    folder = jobs[0].folder.parent
    finished: list[tuple[str, FinishedRun]] = []
    failed: list[Row] = []
    skipped: list[str] = []
    for name, job in zip(job_names(jobs), jobs, strict=True):
        try:
            if job.failure:
                raise UserError(job.failure)
            finished.append((name, _read_checked(job.folder)))
        except UserError as reason:
            failed.append(job.failed_row(name, str(reason)))
    if all(job.row for job in jobs):
        today = {job.folder for job in jobs}
        before, failed_before, skipped = _read([path for path in runs_at(folder) if path not in today])
        finished += [(_name(run), run) for run in before if run.metrics.get("row")]
        failed += [row for row in failed_before if row.key]
    if finished:
        write_report(folder, finished, failed, config, skipped)
    else:
        say(f"no job finished, so there is no table; {folder} holds what each left")


def report_runs(folder: Path, found: Sequence[Path], config: TableConfig) -> None:
    """Writes the report of the finished runs in `found` into `folder`, and lists the folders that hold none.

    Raises `UserError` where none of them does.
    """
    named, failed, skipped = _named(found, config)
    write_report(folder, named, failed, config, skipped)


def table_of(found: Sequence[Path], config: TableConfig) -> pd.DataFrame:
    """The finished runs in `found` as one table of plain numbers, as table.csv has it.

    Raises `UserError` where none of them is one.
    """
    named, failed, _ = _named(found, config)
    comparisons, _ = _compare(named, failed, config)
    return _together([plain_rows(each) for each in comparisons])


def _named(
    found: Sequence[Path], config: TableConfig
) -> tuple[list[tuple[str, FinishedRun]], list[Row], list[str]]:
    """What `_read` finds, the runs by their names. Raises `UserError` where there is none."""
    runs, failed, skipped = _read(found)
    if not runs:
        raise UserError(
            f"none of {len(found)} folders holds a finished run of prnn train: {'; '.join(skipped[:3])}"
        )
    named = [(_name(run), run) for run in runs]
    _check_gain_over(config, named)
    return named, failed, skipped


def _read(found: Sequence[Path]) -> tuple[list[FinishedRun], list[Row], list[str]]:
    """The finished runs, rows of those that failed, and a sentence for each folder that is left out."""
    runs: list[FinishedRun] = []
    failed: list[Row] = []
    skipped: list[str] = []
    for path in found:
        try:
            runs.append(_read_checked(path))
        except UserError as error:
            if RunFolder(path).is_of_another_command("train", "evaluate"):
                continue
            skipped.append(f"{path}: {error}")
            if row := failed_row(path):
                failed.append(row)
    for sentence in skipped:
        log.warning("skipped %s", sentence)
    return runs, failed, skipped


def _read_checked(folder: Path) -> FinishedRun:
    run = read_run(folder)
    check_ranks(run)
    return run


def write_report(
    folder: Path,
    named: Sequence[tuple[str, FinishedRun]],
    failed: Sequence[Row],
    config: TableConfig,
    skipped: Sequence[str] = (),
) -> None:
    """Writes every file of the report, and shows its tables.

    Runs that don't compare stand in tables of their own, the largest set first, together with the failed rows.
    """
    comparisons, repeated = _compare(named, failed, config)
    for sentence in repeated:
        log.warning("left out %s", sentence)
    windows = windows_of(comparisons)
    if (number := len(comparisons) - sum(len(each.comparisons) - 1 for each in windows)) > 1:
        log.warning("the runs make %d sets that don't compare, and a table each", number)
    apart = ["", *(reasons_apart(comparison.first, comparisons[0].first) for comparison in comparisons[1:])]
    numbered = enumerate(zip(comparisons, apart, strict=True), 1)
    of_each = [sections_of(found, number, why) for number, (found, why) in numbered]
    over_windows = [section_of(each, number) for number, each in enumerate(windows, 1)]
    sections = [*over_windows, *chain(*of_each)]
    left_out = [f"Left out: {markdown_text(sentence)}\n" for sentence in [*skipped, *repeated]]
    write_text(folder / "table.md", "\n".join([*(section.markdown() for section in sections), *left_out]))
    write_csv(folder / "table.csv", _together([plain_rows(comparison) for comparison in comparisons]))
    write_csv(folder / "slices.csv", _together([plain_slices(comparison) for comparison in comparisons]))
    if windows:
        write_csv(folder / "windows.csv", _together([plain_windows(each) for each in windows]))
    for name in dict.fromkeys(section.latex for section in sections if section.latex):
        tables = [section.latex_table() for section in sections if section.latex == name]
        write_text(folder / name, "\n".join(tables))
    _write_datasets(folder, comparisons)
    pictures = write_figures(folder, comparisons[0]) if config.figures else []
    write_text(folder / "summary.html", page(comparisons, sections, pictures))
    summed_up = [comparison for each in windows for comparison in each.comparisons]
    alone = [each[0] for found, each in zip(comparisons, of_each, strict=True) if found not in summed_up]
    mains = [*over_windows, *alone]
    for section in mains:
        show(section.table, title=section.heading if len(mains) > 1 else "")
        for note in section.notes:
            say(note)
    print(f"written to {folder}")


def _write_datasets(folder: Path, comparisons: Sequence[Comparison]) -> None:
    """Writes Table 1, a line for each data set; older runs kept no properties of theirs."""
    runs = [comparison.first.metrics for comparison in comparisons]
    datasets = {run["data_hash"]: table_1(run["dataset"], run["data"]) for run in runs if "data" in run}
    if datasets:
        # Where some data lack a part, the numbers of the others stay whole.
        write_table_1(folder, pd.concat(datasets.values(), ignore_index=True).convert_dtypes())


def _check_gain_over(config: TableConfig, named: Sequence[tuple[str, FinishedRun]]) -> None:
    """Raises `UserError` where gains are asked for over what is neither a row nor what a run was compared with."""
    baselines = [name for _, run in named for name in run.metrics["baselines"]]
    rows = [row for name, run in named for row in (run.metrics.get("row"), name) if row]
    known = dict.fromkeys(["id_only", *baselines, *rows])
    if config.gain_over is not None and config.gain_over not in known:
        raise UserError(
            f"table.gain_over={config.gain_over} is in none of the runs; choose one of {', '.join(known)}"
        )


def _compare(
    named: Sequence[tuple[str, FinishedRun]], failed: Sequence[Row], config: TableConfig
) -> tuple[list[Comparison], list[str]]:
    """The comparisons, and a sentence for each run that repeats another one."""
    names = {run.folder: name for name, run in named}
    comparisons: list[Comparison] = []
    repeated: list[str] = []
    for runs in comparable_sets([run for _, run in named]):
        rows, twice = gather_rows((names[run.folder], run) for run in runs)
        comparisons.append(Comparison(_with_failures(rows, [] if comparisons else failed), config))
        repeated += twice
    return comparisons, repeated


def _together(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The frames of the comparisons as one; where there are several, a column `set` numbers them."""
    if len(frames) > 1:
        frames = [frame.assign(set=number) for number, frame in enumerate(frames, 1)]
    return pd.concat(frames, ignore_index=True)


def _with_failures(rows: Sequence[Row], failed: Sequence[Row]) -> list[Row]:
    """The rows with those that failed: a failed seed stands by its row, a row whose every seed failed by itself."""
    together = list(rows)
    for row in failed:
        known = next((other for other in together if other.name == row.name), None)
        if known:
            known.failures += row.failures
        else:
            together.append(row)
    return in_papers_order(together)


def _name(run: FinishedRun) -> str:
    """The name of the run's row: its label, else what it is made of, without the seed, which the footer has."""
    if run.metrics["label"]:
        return str(run.metrics["label"])
    return run_name(run.metrics).rpartition(", seed ")[0] + ")"
