"""Which device a command runs on, and how many threads it takes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from prnn_cli.errors import UserError
from prnn_cli.schema import HardwareConfig

SMALL_STEP = 4_000_000  # multiplications; below, threads wait for each other longer than they work


def select_device(config: HardwareConfig) -> torch.device:
    """`auto` takes the first CUDA device where there is one. Sets torch's number of threads, if it is given."""
    if config.threads is not None:
        most = 4 * (os.cpu_count() or 1)
        if config.threads > most:
            raise UserError(
                f"hardware.threads={config.threads} is too large for this machine; use at most {most}"
            )
        torch.set_num_threads(config.threads)
    has_gpu = torch.cuda.is_available()
    if config.device == "gpu" and not has_gpu:
        raise UserError(
            "hardware=gpu needs a CUDA device and torch sees none; use hardware=cpu or hardware=auto"
        )
    return torch.device("cuda", 0) if has_gpu and config.device != "cpu" else torch.device("cpu")


@contextmanager
def threads_for_training(config: HardwareConfig, multiplications: int) -> Iterator[None]:
    """`multiplications`: of a mini-batch. A small one gets one thread, unless the number is given: on two cores
    it is as fast as with two, and does not collapse when another process takes a core."""
    before = torch.get_num_threads()
    if config.threads is None and multiplications < SMALL_STEP:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
