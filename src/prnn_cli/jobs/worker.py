"""A process of its own for each job that a launcher runs, such as joblib's or Slurm's.

A process that dies is then one failed row, and takes neither its worker nor the jobs beside it along.
"""

import contextlib
import logging
import multiprocessing
from collections.abc import Callable

from prnn_cli.errors import RunError
from prnn_cli.reporting.sweep_jobs import SweepJob
from prnn_cli.run_folder import RunFolder
from prnn_cli.system.gpus import own_gpu
from prnn_cli.system.signals import stop_signal

log = logging.getLogger(__name__)


def run_in_child_process(
    work: Callable[[], SweepJob], folder: RunFolder, failed_job: Callable[[str], SweepJob]
) -> SweepJob:
    """The job that `work` returns from a child process; `failed_job` makes one of the reason where the process died."""
    # A fork, as `work` is a closure, which no other way of starting could hand over.
    context = multiprocessing.get_context("fork")
    theirs, ours = context.Pipe(duplex=False)

    def child() -> None:
        logging.raiseExceptions = False
        stop_signal.install()
        with own_gpu():
            ours.send(work())

    process = context.Process(target=child)
    process.start()
    # Else `recv` would wait for ever where the child dies: this end would still be open here.
    ours.close()
    try:
        job: SweepJob = theirs.recv()
    except EOFError:
        process.join()
        return failed_job(note_death(folder, process.exitcode))
    process.join()
    return job


def note_death(folder: RunFolder, exit_code: int | None, last_words: str = "") -> str:
    """Writes into the folder's status that the job's process is gone without a result, and returns it as a reason."""
    failure = f"its process died (exit code {exit_code}: below 0 a signal, −9 mostly for want of memory)"
    failure += f": {last_words}" if last_words else ""
    log.error("%s: %s", folder.path, failure)
    if folder.is_begun() and folder.status()["status"] != "failed":
        with contextlib.suppress(RunError):
            folder.write_status("failed", reason=failure)
    return failure
