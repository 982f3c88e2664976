"""Which device a command runs on, and how many threads it takes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from prnn_cli.errors import UserError
from prnn_cli.schema import HardwareConfig
from prnn_cli.system.distributed import process_group

SMALL_STEP = 4_000_000  # multiplications; below, threads wait for each other longer than they work


def select_device(config: HardwareConfig) -> torch.device:
    """`auto` takes a CUDA device where there is one: the first, or under torchrun one a process. Sets torch's number
    of threads, if it is given."""
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
    if not has_gpu or config.device == "cpu":
        return torch.device("cpu")
    number, most = process_group().local_rank, torch.cuda.device_count()
    if number >= most:
        raise UserError(
            f"torchrun starts more processes here than there are GPUs; use at most --nproc-per-node {most}"
        )
    torch.cuda.set_device(number)
    torch.backends.cuda.matmul.allow_tf32 = config.tf32
    return torch.device("cuda", number)


def num_cores() -> int:
    """That this process may use, where the system says so."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def threads_for_training(config: HardwareConfig, multiplications: int) -> Iterator[None]:
    """`multiplications`: of a mini-batch. A small one gets one thread, unless the number is given: on two cores
    it is as fast as with two, and does not collapse when another process takes a core."""
    is_small = config.threads is None and multiplications < SMALL_STEP
    with num_threads(1 if is_small else torch.get_num_threads()):
        yield


@contextmanager
def num_threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
