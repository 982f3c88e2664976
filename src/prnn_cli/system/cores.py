"""The cores of the machine, shared out among processes that run side by side."""

import os


def num_cores() -> int:
    """The number of cores that this process may use; where the system does not say, of the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads_each(jobs: int) -> int:
    """The threads that each of so many processes takes."""
    return max(1, num_cores() // jobs)


def share_cores(jobs: int) -> None:
    """Gives each of several processes its share of the cores; to be called before the first one starts.

    Libraries of linear algebra read their number of threads when they are loaded, and two that take all cores each
    slow one another down many times.
    """
    if jobs > 1:
        os.environ.setdefault("OMP_NUM_THREADS", str(threads_each(jobs)))
