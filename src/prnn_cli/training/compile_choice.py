"""Whether a run is long enough for its step to be compiled."""

import importlib.util
import os
import shutil

import torch

from prnn_cli.schema import HardwareConfig

# On two cores of an AMD EPYC (docs/benchmarks.md) an eager step of a small mini-batch takes 0.8 ms longer than a
# compiled one, so that 30,000 of them lose 25 s; compiling takes 9 to 15 s for the first kind of update and 4 to 5 s
# for each further one. Larger steps lose more: one of 25 million multiplications twice as much.
LONG_RUN = 30_000  # small updates
TWICE_AS_MUCH = 25_000_000  # multiplications of a mini-batch


def choose_executor(
    config: HardwareConfig, device: torch.device, num_updates: int, multiplications: int
) -> str:
    """The name of the executor for a run of so many updates. `multiplications`: of a mini-batch."""
    fast = "graph" if device.type == "cuda" else "compiled"
    if config.compile != "auto":
        return fast if config.compile == "always" else "eager"
    is_long = num_updates * (1 + multiplications / TWICE_AS_MUCH) >= LONG_RUN
    return fast if is_long and _has_compiler(device) else "eager"


def _has_compiler(device: torch.device) -> bool:
    if device.type == "cuda":
        return importlib.util.find_spec("triton") is not None
    return any(shutil.which(name) for name in (os.environ.get("CXX", "g++"), "g++", "clang++"))
