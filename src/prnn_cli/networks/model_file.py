"""The file of a trained model, model.safetensors: a network's parameters by name, and nothing that can run."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from prnn_cli.errors import UserError
from prnn_cli.networks.network import Network
from prnn_cli.system.tensor_files import DamagedFileError, read_tensors, write_tensors


def save_model(path: Path, parameters: Mapping[str, Tensor]) -> None:
    write_tensors(path, parameters)


def load_model(path: Path, network: Network, device: torch.device) -> dict[str, Tensor]:
    """The parameters of `network`. Raises `UserError` where the file is damaged or holds those of another network."""
    try:
        parameters, _ = read_tensors(path, device)
    except DamagedFileError as error:
        raise UserError(
            f"{path} is not a readable model ({error}); remove the run's metrics.json and add resume=true to its "
            "command, which writes it again from the checkpoint"
        ) from error
    expected = {name: value.shape for name, value in network.parameters_without_values().items()}
    found = {name: value.shape for name, value in parameters.items()}
    if found != expected:
        name = next(name for name in expected.keys() | found.keys() if found.get(name) != expected.get(name))
        raise UserError(
            f"{path} holds another network: {name} is {_shape(found.get(name))} there and "
            f"{_shape(expected.get(name))} in the run's configuration"
        )
    return parameters


def _shape(shape: torch.Size | None) -> str:
    return "absent" if shape is None else "×".join(map(str, shape))
