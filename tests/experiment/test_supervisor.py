"""What the supervisor does beside training: it saves nothing that is spoilt, and saves as often as is cheap."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from commands.conftest import SMALL, Result
from prnn_cli.experiment import supervisor as supervising
from prnn_cli.experiment.supervisor import Supervisor
from prnn_cli.run_folder import RunFolder
from prnn_cli.system.progress import Meter
from prnn_cli.training.trainer import Progress
from training.test_trainer import random_sessions, trainer_of

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]


def test_parameters_that_the_last_step_spoils_are_not_saved(
    prnn: Prnn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No later loss shows it."""
    at_epoch = Supervisor.at_epoch

    def spoil(self: Supervisor, record: object) -> None:
        at_epoch(self, record)  # type: ignore[arg-type]
        self.trainer.state.parameters["readout.id"][3, 0] = np.inf

    monkeypatch.setattr(Supervisor, "at_epoch", spoil)
    result = prnn("train", *SMALL, "epochs=1", "hydra.run.dir=runs/mine")
    assert result.exit_code == 1
    assert "readout.id is not finite after" in result.err
    assert "lower subnets.id.learning_rate" in result.err
    assert not Path("runs/mine/model.safetensors").exists()


@pytest.mark.parametrize(("writing_s", "at_least"), [(0.1, 60), (20, 1)])
def test_the_interval_stretches_so_that_writing_stays_cheap(
    writing_s: float, at_least: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tick takes ten seconds, and a checkpoint is asked for every minute of an hour or more."""
    now = 0.0
    monkeypatch.setattr(supervising.time, "monotonic", lambda: now)
    trainer = trainer_of(random_sessions(seed=0))
    folder = RunFolder(tmp_path)
    folder.write_status("running", command="train")
    supervisor = Supervisor(trainer, folder, {}, 60, Meter("training", 1, None))
    saved = 0

    def save(*_: object) -> None:
        nonlocal now, saved
        now, saved = now + writing_s, saved + 1

    monkeypatch.setattr(supervising, "save_checkpoint", save)
    for _ in range(400):
        now += 10
        supervisor.at_tick(Progress(1, 1, "id", 1.0, 1, 2, 1.0, 1.0))
    assert saved >= at_least
    assert (saved - 1) * writing_s <= 0.02 * now
