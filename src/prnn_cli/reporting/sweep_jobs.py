"""The jobs of a sweep, with what a table shows of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prnn_cli.reporting.runs import Row, group_of

WINDOW = "dataset.window.number="


@dataclass(frozen=True)
class SweepJob:
    """A job of a sweep: the folder of its run, and what it was asked to do.

    repeats: whether seeds=N asked for several runs of it; failure: why it failed, empty where it did not
    """

    folder: Path
    overrides: list[str]
    arch: str
    row: str | None
    label: str | None
    repeats: bool
    failure: str = ""

    def failed_row(self, name: str, reason: str) -> Row:
        """The row of a table that says why the job has no result."""
        return Row(name, self.row, group_of(self.row, self.arch), failures=[reason])


def job_names(jobs: Sequence[SweepJob]) -> list[str]:
    """Names for the jobs: labels of their rows, or the overrides that differ, such as "seed=2", or folders.

    Jobs of one name share a row.
    """
    labels = [job.label for job in jobs if job.row and job.label]
    if len(labels) == len(jobs):
        return labels
    kept = [[each for each in job.overrides if not _shares_row(job, each)] for job in jobs]
    names = differing_overrides(kept)
    if any(_shares_row(job, each) for job in jobs for each in job.overrides):
        return [name or job.label or job.arch for name, job in zip(names, jobs, strict=True)]
    distinct = all(names) and len(set(names)) == len(names)
    return names if distinct else [job.folder.name for job in jobs]


def _shares_row(job: SweepJob, override: str) -> bool:
    """Whether an override tells apart runs of one row: the windows of the log; seeds of seeds=N, or on a window."""
    is_averaged = job.repeats or any(each.startswith(WINDOW) for each in job.overrides)
    return override.startswith(WINDOW) or (is_averaged and override.startswith("seed="))


def differing_overrides(jobs: Sequence[Sequence[str]]) -> list[str]:
    """The overrides of each job but for those that all have: "seed=1" of ["epochs=3", "seed=1"], say."""
    shared = set.intersection(*map(set, jobs))
    return [" ".join(each for each in job if each not in shared) for job in jobs]
