"""The GPUs of a machine, shared out among the jobs that run on it side by side."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from prnn_cli.system.locks import try_lock


@contextmanager
def own_gpu() -> Iterator[str | None]:
    """Hides all GPUs from this job but the first that no other job has; they are shared once each has a job.

    Yields the number of that GPU, or None where there are fewer than two to choose from. Must come before torch looks
    for them.
    """
    visible = visible_gpus()
    if len(visible) < 2:
        yield None
        return
    with ExitStack() as held:
        chosen = next((gpu for gpu in visible if _hold(gpu, held)), visible[os.getpid() % len(visible)])
        os.environ["CUDA_VISIBLE_DEVICES"] = chosen
        yield chosen


def visible_gpus() -> list[str]:
    """The numbers of the GPUs that this process may use, as the driver counts them."""
    if (named := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [each.strip() for each in named.split(",") if each.strip()]
    return [str(number) for number, _ in enumerate(Path("/proc/driver/nvidia/gpus").glob("*"))]


def _hold(gpu: str, held: ExitStack) -> bool:
    lock_file = Path(tempfile.gettempdir()) / f"prnn-{os.getuid()}-gpu-{gpu}.lock"
    return held.enter_context(try_lock(lock_file, patience_s=0))
