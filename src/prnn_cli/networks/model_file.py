"""The file of a trained model, model.safetensors: a network's parameters by name, and nothing that can run."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from prnn_cli.errors import UserError, first_line
from prnn_cli.networks.network import Network
from prnn_cli.origin import Origin
from prnn_cli.system.file_format import FileFormat
from prnn_cli.system.tensor_files import DamagedFileError, read_tensors, write_tensors

# Format 1 did not carry the run's origin.
MODEL = FileFormat("model", 2, "use it with the prnn that wrote it, or train again")
REMEDY = "remove the run's metrics.json and add resume=true to its command, which writes it again"


def save_model(path: Path, parameters: Mapping[str, Tensor], origin: Origin) -> None:
    """Writes the parameters, whole or not at all."""
    write_tensors(path, parameters, {"origin": json.dumps(origin.as_json())}, MODEL)


def load_model(path: Path, network: Network, origin: Origin, device: torch.device) -> dict[str, Tensor]:
    """Reads the parameters of `network`, of the run with this origin.

    Raises `UserError` where the file is damaged, of another format or run, or holds the parameters of another network.
    """
    try:
        parameters, metadata = read_tensors(path, device, file_format=MODEL)
        found = Origin.read(json.loads(metadata["origin"]), path)
    except (DamagedFileError, KeyError, ValueError) as error:
        raise UserError(f"{path} is not a readable model ({first_line(error)}); {REMEDY}") from error
    origin.refuse_other(path, found, f"restore the run's own, or {REMEDY}")
    refuse_other_network(str(path), parameters, network)
    return parameters


def refuse_other_network(where: str, parameters: Mapping[str, Tensor], network: Network) -> None:
    """Raises `UserError` unless the parameters found at `where` are the network's, by their names and shapes."""
    expected = {name: value.shape for name, value in network.parameters_without_values().items()}
    found = {name: value.shape for name, value in parameters.items()}
    differing = [name for name in sorted(expected | found) if found.get(name) != expected.get(name)]
    if differing:
        name = differing[0]
        raise UserError(
            f"{where} holds another network: {name} is {_shape(found.get(name))} there and "
            f"{_shape(expected.get(name))} by the run's configuration and its items' features; restore the files that "
            "describe the items, or train again in another folder"
        )


def _shape(shape: torch.Size | None) -> str:
    return "absent" if shape is None else "×".join(map(str, shape))
