"""The plan of a sweep: what its jobs are called, and who runs them."""

from dataclasses import dataclass, field
from typing import Any

from prnn_cli.reporting.sweep_jobs import SweepJob
from prnn_cli.schema import TableConfig


@dataclass(frozen=True)
class Sweep:
    """The plan of one command line's jobs; empty for a single job, and under a sweeper that has rules of its own.

    names: of the jobs, in their order
    extra_overrides: what the command line lacks for Hydra to run it, such as the seeds of seeds=3
    searches: the jobs are trials, of which only the search knows what came
    at_a_time: jobs that run side by side on this machine; fits_memory: fewer where it has no memory for so many
    plan: true, or a file: what the jobs will take is told, and none is run; trials: of a search, at most
    launched: a launcher of the user's runs the jobs, each in a process of its own, here or on another machine
    jobs: those of such a launcher, whose processes keep what they did; table: how they are shown at the end
    """

    names: list[str] = field(default_factory=list)
    extra_overrides: list[str] = field(default_factory=list)
    searches: bool = False
    at_a_time: int = 1
    fits_memory: bool = True
    plan: Any = False
    trials: int = 0
    launched: bool = False
    jobs: list[SweepJob] = field(default_factory=list)
    table: TableConfig | None = None
