"""Which device a command runs on, and how many threads it takes."""

import torch

from prnn_cli.errors import UserError
from prnn_cli.schema import HardwareConfig


def select_device(config: HardwareConfig) -> torch.device:
    """`auto` takes the first CUDA device where there is one. Sets torch's number of threads."""
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    has_gpu = torch.cuda.is_available()
    if config.device == "gpu" and not has_gpu:
        raise UserError(
            "hardware=gpu needs a CUDA device and torch sees none; use hardware=cpu or hardware=auto"
        )
    return torch.device("cuda", 0) if has_gpu and config.device != "cpu" else torch.device("cpu")


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
