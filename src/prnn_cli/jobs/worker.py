"""A job of a sweep under a launcher, such as joblib's or Slurm's: a process of its own, so that one that dies is a
failed row and takes neither its worker nor the jobs beside it along."""

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


def in_own_process(
    work: Callable[[], SweepJob], folder: RunFolder, as_job: Callable[[str], SweepJob]
) -> SweepJob:
    """`work`'s job; `as_job` makes one of the reason where the process died."""
    context = multiprocessing.get_context("fork")
    theirs, ours = context.Pipe(duplex=False)

    def child() -> None:
        logging.raiseExceptions = False
        stop_signal.install()
        with own_gpu():
            ours.send(work())

    process = context.Process(target=child)
    process.start()
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
        return as_job(failure)
    process.join()
    return job


@contextlib.contextmanager
def own_gpu() -> Iterator[str | None]:
    """Where several GPUs are in sight, the first that no other job has is the only one that this job sees; they are
    shared once each has a job. Must come before torch looks for them."""
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
