"""Timing: the median of repeated work."""

import statistics
import time
from collections.abc import Callable

import torch


def seconds_of(work: Callable[[], object], device: torch.device, repeats: int) -> float:
    """The median time of `work`, after one run that is not timed; each is timed until the device is done."""

    def timed() -> float:
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter() - started

    timed()
    return statistics.median(timed() for _ in range(repeats))
