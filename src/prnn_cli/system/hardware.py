"""The device that a command runs on, and the number of threads that it takes."""

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from prnn_cli.errors import UserError
from prnn_cli.schema import AUTO, HardwareConfig
from prnn_cli.system.cores import num_cores
from prnn_cli.system.distributed import process_group

# Multiplications in a mini-batch. Below, threads wait for each other longer than they work: docs/benchmarks.md has the
# times of one thread and of two on both sides of it.
SMALL_STEP = 4_000_000


def select_device(config: HardwareConfig) -> torch.device:
    """The device that `config` asks for; sets torch's number of threads, where it is given.

    `auto` takes a CUDA device where there is one: the first, or under torchrun one for each process. Raises `UserError`
    for a GPU that there is not, and for more threads than four for each core.
    """
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


def peak_bytes() -> int:
    """The peak of the process's main memory so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak << 10  # kilobytes elsewhere


@contextmanager
def threads_for_training(config: HardwareConfig, multiplications: int) -> Iterator[None]:
    """Gives a small mini-batch one thread, unless the number is given. multiplications: of a mini-batch

    On two cores a small one is as fast with one thread as with two, and does not collapse when another process takes a
    core.
    """
    is_small = config.threads is None and multiplications < SMALL_STEP
    with num_threads(1 if is_small else torch.get_num_threads()):
        yield


@contextmanager
def num_threads(number: int) -> Iterator[None]:
    """Sets torch's number of threads until the context is left."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def jobs_at_a_time(jobs: int | str, config: HardwareConfig) -> int:
    """How many trainings run side by side, if memory allows. jobs: a number, or auto: one for each GPU, or each core"""
    if jobs != AUTO:
        return int(jobs)
    if config.device != "cpu" and (num_gpus := torch.cuda.device_count()):
        return num_gpus
    return max(1, num_cores() // (config.threads or 1))


def device_name(device: torch.device) -> str:
    """The name of the GPU, as metrics.json has it, or cpu."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
