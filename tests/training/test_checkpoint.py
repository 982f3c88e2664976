"""Checkpoints in files; that a resumed run ends with the same bits is shown in test_trainer.py."""

from pathlib import Path

import pytest
import torch

from prnn_cli.system.tensor_files import DamagedFileError
from prnn_cli.training.checkpoint import load_checkpoint, read_progress, save_checkpoint
from small import CPU, random_sessions
from training.test_trainer import train, trainer_of


def test_a_checkpoint_holds_the_state_and_the_decisions(tmp_path: Path) -> None:
    trainer = trainer_of(random_sessions(seed=0))
    train(trainer)
    save_checkpoint(tmp_path / "state.safetensors", trainer.state, {"threads": 3})
    state, decisions = load_checkpoint(tmp_path / "state.safetensors", CPU)
    assert decisions == {"threads": 3}
    assert (state.cursor, state.history) == (trainer.state.cursor, trainer.state.history)
    for group in ("parameters", "accumulators", "velocities", "carry", "tally"):
        for name, value in getattr(trainer.state, group).items():
            assert torch.equal(getattr(state, group)[name], value)
    assert read_progress(tmp_path / "state.safetensors") == (state.cursor, decisions)


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    save_checkpoint(path, trainer_of(random_sessions(seed=0)).state, {})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DamagedFileError, match=r"incomplete|buffer"):
        load_checkpoint(path, CPU)
