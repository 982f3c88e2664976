"""How long a run has to go: by hand, and without a trace in what it trains."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from commands.conftest import SMALL, Result
from prnn_cli.experiment import foresight
from prnn_cli.training.state import Cursor, EpochRecord
from prnn_cli.training.strategies import residual
from prnn_cli.training.trainer import Trainer

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]
P_RNN = [each for each in SMALL if not each.startswith(("arch=", "subnets."))] + ["units.each=12"]


def trainer_in_its_second_epoch() -> Trainer:
    """Two epochs of the ID, of 100 events each, then two of the text: the first took 10 s, half the second one 5."""
    plan = SimpleNamespace(num_active=np.full(10, 10), num_steps=10)
    first = EpochRecord(1, 1, "id", 0.5, 0, events=100, seconds=10, events_per_s=10, steps=10)
    state = SimpleNamespace(cursor=Cursor(0, 1, 5), history=[first], epoch_seconds=5, tally={"loss": 1.0})
    return Trainer(None, None, residual(["id", "text"], 2), SimpleNamespace(plan=plan), state)


def test_phases_to_come_are_as_fast_as_training_has_been() -> None:
    assert trainer_in_its_second_epoch().progress().seconds_left == pytest.approx(5 + 2 * 10)


def test_phases_to_come_are_as_fast_as_expected_where_that_is_known() -> None:
    trainer = trainer_in_its_second_epoch()
    trainer.expected[trainer.phases[1].updates] = 0.3  # seconds an event
    trainer.then_s = 7
    assert trainer.progress().seconds_left == pytest.approx(5 + 2 * 30 + 7)


def test_a_phase_that_runs_is_as_fast_as_it_has_been() -> None:
    """The text's first epoch took 20 s, half of its second one 10; what was expected is no matter any more."""
    trainer = trainer_in_its_second_epoch()
    of_text = EpochRecord(2, 1, "text", 0.5, 0, events=100, seconds=20, events_per_s=5, steps=10)
    trainer.state.history += [trainer.state.history[0], of_text]
    trainer.state.cursor, trainer.state.epoch_seconds = Cursor(1, 1, 5), 10
    trainer.expected[trainer.phases[1].updates] = 0.9
    assert trainer.progress().seconds_left == pytest.approx(10)


def test_a_look_ahead_changes_no_bit(prnn: Prnn, monkeypatch: pytest.MonkeyPatch) -> None:
    log = ["train", *P_RNN, "strategy=residual", "hardware.compile=never"]
    assert "left, ranking" not in prnn(*log, "hydra.run.dir=plain").err
    monkeypatch.setattr(foresight, "AFTER_S", 0.0)
    monkeypatch.setattr(foresight, "WORTH_IT_S", 0.0)
    looked = prnn(*log, "hydra.run.dir=looked")
    assert looked.err.count("left, ranking") == 1
    for name in ("model.safetensors", "ranks.parquet"):
        assert Path("plain", name).read_bytes() == Path("looked", name).read_bytes()
