"""A process of its own for each job that a launcher runs, such as joblib's or Slurm's.

A process that dies is then one failed row, and takes neither its worker nor the jobs beside it along.
"""

import contextlib
import logging
import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from prnn_cli.errors import RunError
from prnn_cli.reporting.sweep_jobs import SweepJob
from prnn_cli.run_folder import RunFolder
from prnn_cli.system.locks import try_lock
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
        failure = (
            f"its process died (exit code {process.exitcode}: below 0 a signal, −9 mostly for want of memory)"
        )
        log.error("%s: %s", folder.path, failure)
        if folder.is_begun() and folder.status()["status"] != "failed":
            with contextlib.suppress(RunError):
                folder.write_status("failed", reason=failure)
        return failed_job(failure)
    process.join()
    return job


@contextlib.contextmanager
def own_gpu() -> Iterator[str | None]:
    """Hides all GPUs from this job but the first that no other job has; they are shared once each has a job.

    Yields the number of that GPU, or None where there are fewer than two to choose from. Must come before torch looks
    for them.
    """
    visible = _visible_gpus()
    if len(visible) < 2:
        yield None
        return
    with contextlib.ExitStack() as held:
        chosen = next((gpu for gpu in visible if _hold(gpu, held)), visible[os.getpid() % len(visible)])
        os.environ["CUDA_VISIBLE_DEVICES"] = chosen
        yield chosen


def _visible_gpus() -> list[str]:
    if (named := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [each.strip() for each in named.split(",") if each.strip()]
    return [str(number) for number, _ in enumerate(Path("/proc/driver/nvidia/gpus").glob("*"))]


def _hold(gpu: str, held: contextlib.ExitStack) -> bool:
    lock_file = Path(tempfile.gettempdir()) / f"prnn-{os.getuid()}-gpu-{gpu}.lock"
    return held.enter_context(try_lock(lock_file, patience_s=0))
