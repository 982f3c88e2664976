"""A checkpoint: the state of training in one file, and the decisions that a resumed run is bound to."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from prnn_cli.system.file_format import FileFormat
from prnn_cli.system.tensor_files import DamagedFileError, read_tensors, write_tensors
from prnn_cli.training.state import TENSOR_GROUPS, Cursor, EpochRecord, TrainState

# Format 1 called the executor, among the decisions, a path; format 2 did not carry the run's origin; format 3 not what
# the epochs measured.
CHECKPOINT = FileFormat("checkpoint", 4, "go on with the prnn that wrote it, or train in another folder")

Decisions = dict[str, Any]  # made at start: threads, executor, …


def save_checkpoint(path: Path, state: TrainState, decisions: Decisions) -> None:
    """Writes a checkpoint, whole or not at all."""
    tensors = {
        f"{group}/{name}": value for group in TENSOR_GROUPS for name, value in getattr(state, group).items()
    }
    progress = {
        "cursor": asdict(state.cursor),
        "epoch_seconds": state.epoch_seconds,
        "history": [asdict(record) for record in state.history],
        "decisions": decisions,
    }
    write_tensors(path, tensors, {"progress": json.dumps(progress)}, CHECKPOINT)


def load_checkpoint(path: Path, device: torch.device) -> tuple[TrainState, Decisions]:
    """Reads a checkpoint.

    Raises `DamagedFileError` for a file that is damaged or no checkpoint, `OtherFormatError` for one of another
    version.
    """
    groups: dict[str, dict[str, Tensor]] = {group: {} for group in TENSOR_GROUPS}
    tensors, metadata = read_tensors(path, device, file_format=CHECKPOINT)
    try:
        for key, value in tensors.items():
            group, name = key.split("/", 1)
            groups[group][name] = value
        progress = json.loads(metadata["progress"])
        state = TrainState(
            **groups,
            cursor=Cursor(**progress["cursor"]),
            epoch_seconds=progress["epoch_seconds"],
            history=[EpochRecord(**record) for record in progress["history"]],
        )
        return state, progress["decisions"]
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedFileError(f"it is no checkpoint: {error!r}") from error


def read_progress(path: Path) -> tuple[Cursor, Decisions]:
    """Reads how far a checkpoint is, without its tensors. Raises what `load_checkpoint` raises."""
    _, metadata = read_tensors(path, metadata_only=True, file_format=CHECKPOINT)
    try:
        progress = json.loads(metadata["progress"])
        return Cursor(**progress["cursor"]), progress["decisions"]
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedFileError(f"it is no checkpoint: {error!r}") from error
