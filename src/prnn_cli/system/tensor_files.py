"""Safetensors files: tensors by name with a checksum, and nothing that can run."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from prnn_cli.errors import first_line
from prnn_cli.system.file_format import FORMAT, FileFormat
from prnn_cli.system.files import atomic_write

CHECKSUM = "checksum"
PACKED = "prnn"  # the only text beside the tensors: safetensors writes several in any order


class DamagedFileError(Exception):
    """A file of tensors that is not whole, or not what was written; the message says how it shows."""


def write_tensors(
    path: Path,
    tensors: Mapping[str, Tensor],
    metadata: Mapping[str, str] | None = None,
    file_format: FileFormat | None = None,
) -> None:
    """Writes a file, whole or not at all, with a checksum of all that is in it and the number of its format."""
    with atomic_write(path) as temporary:
        stored = {name: _dense(value.detach().cpu()) for name, value in tensors.items()}
        sealed = dict(metadata or {})
        if file_format:
            sealed[FORMAT] = str(file_format.number)
        sealed[CHECKSUM] = _checksum(stored, sealed)
        try:
            save_file(stored, temporary, {PACKED: json.dumps(sealed, sort_keys=True)})
        except SafetensorError as error:  # how it reports a full disk
            raise OSError(str(error)) from error


def read_tensors(
    path: Path,
    device: torch.device | str = "cpu",
    metadata_only: bool = False,
    file_format: FileFormat | None = None,
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Reads (tensors, metadata); with `metadata_only` no tensors, and unchecked.

    Raises `DamagedFileError` for whatever `write_tensors` did not write, `OtherFormatError` for a file of another
    format than the one given.
    """
    try:
        with safe_open(path, framework="pt") as stored:
            metadata = _unpacked(stored.metadata() or {})
            if file_format:  # first, as another format may have another checksum
                file_format.check(path, metadata.get(FORMAT))
            checksum = metadata.pop(CHECKSUM)
            if metadata_only:
                return {}, metadata
            # Copies, as the file's tensors may lie at addresses at which products round otherwise.
            tensors = {name: stored.get_tensor(name).clone() for name in stored.keys()}  # noqa: SIM118
    except KeyError as error:
        raise DamagedFileError("it has no checksum") from error
    except (SafetensorError, OSError, ValueError, AttributeError) as error:
        raise DamagedFileError(first_line(error)) from error
    if _checksum(tensors, metadata) != checksum:
        raise DamagedFileError("its content has another checksum than when it was written")
    return {name: value.to(device) for name, value in tensors.items()}, metadata


def _dense(value: Tensor) -> Tensor:
    """The tensor with the strides of a new one: `contiguous` leaves those of a single row or element as they are."""
    is_dense = value.stride() == torch.empty_like(value, memory_format=torch.contiguous_format).stride()
    return value if is_dense else value.clone(memory_format=torch.contiguous_format)


def _unpacked(texts: Mapping[str, str]) -> dict[str, str]:
    """The metadata; files of earlier versions hold each as a text of its own."""
    metadata: dict[str, str] = json.loads(texts[PACKED]) if PACKED in texts else dict(texts)
    return metadata


def _checksum(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    described = [(name, str(value.dtype), list(value.shape)) for name, value in sorted(tensors.items())]
    digest.update(json.dumps([described, sorted(metadata.items())]).encode())
    for _, value in sorted(tensors.items()):
        digest.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
