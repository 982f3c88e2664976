"""The jobs of a sweep, as a table of them sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prnn_cli.reporting.runs import Row, group_of


@dataclass(frozen=True)
class SweepJob:
    """A job of a sweep: the folder of its run, and what it was asked for.

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


def names_of(jobs: Sequence[SweepJob]) -> list[str]:
    """The labels of a table's rows; else what tells each job from the others, such as "seed=2", or its folder."""
    labels = [job.label for job in jobs if job.row and job.label]
    if len(labels) == len(jobs):
        return labels
    kept = [
        [each for each in job.overrides if not (job.repeats and each.startswith("seed="))] for job in jobs
    ]
    shared = set.intersection(*map(set, kept))
    told = [" ".join(each for each in job if each not in shared) for job in kept]
    if any(job.repeats for job in jobs):
        return [name or job.label or job.arch for name, job in zip(told, jobs, strict=True)]
    distinct = all(told) and len(set(told)) == len(told)
    return told if distinct else [job.folder.name for job in jobs]
