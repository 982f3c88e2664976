"""training.refit=true trains anew on training + validation part, for the epochs that were chosen."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from omegaconf import OmegaConf

from commands.conftest import SMALL
from prnn_cli.commands import train as command
from prnn_cli.errors import Stopped
from prnn_cli.experiment.settings import composed
from prnn_cli.experiment.supervisor import Supervisor
from prnn_cli.run_folder import CONFIG, RunFolder
from prnn_cli.schema import TrainCommand
from prnn_cli.system.files import write_text
from prnn_cli.system.tensor_files import read_tensors
from prnn_cli.training.state import EpochRecord

pytest_plugins = ["commands.conftest"]

# At this rate the third epoch is worse than the second.
OWN = [*SMALL, "subnets.id.hidden_size=6", "recipe.learning_rate=0.4", "baselines=[popularity]"]
REFIT = [*OWN, "epochs=3", "dataset.validation_days=1", "training.select=best", "training.refit=true"]


def trained(settings: TrainCommand, run: str) -> dict[str, Any]:
    """What metrics.json says of a run that begins, or goes on."""
    folder = RunFolder(Path(run))
    folder.write_status("running", command="train")
    write_text(folder.path / CONFIG, OmegaConf.to_yaml(OmegaConf.structured(settings)))
    command.train(settings, folder, [])
    metrics: dict[str, Any] = json.loads(folder.metrics_file.read_text())
    return metrics


@pytest.mark.usefixtures("workplace")
def test_a_refit_is_a_run_of_the_chosen_epochs_on_the_whole_also_where_it_is_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = composed("train", REFIT)
    told = trained(settings, "runs/refit")
    assert told["selected_epochs"] == [2]
    assert told["selecting"]["epochs"] == {"id": 3}
    assert told["train"]["epochs"] == {"id": 2}
    assert told["train"]["updates"] > told["selecting"]["updates"] * 2 / 3
    assert told["validation"]["events"] == told["validation"]["of"] == 449
    epochs = pd.read_csv("runs/refit/epochs.csv")
    assert epochs["trained_on"].tolist() == ["train"] * 3 + ["train+validation"] * 2
    assert epochs["selected"].tolist() == [False, True, False, False, False]

    fixed = trained(composed("train", [*OWN, "epochs=2"]), "runs/fixed")
    for key in ("data_hash", "recall@20", "mrr@20", "baselines", "num_test_events"):
        assert told[key] == fixed[key], key
    assert_same_model("runs/refit", "runs/fixed")
    assert Path("runs/refit/items.parquet").read_bytes() == Path("runs/fixed/items.parquet").read_bytes()

    for owner, name in (
        (command, "refit_of"),  # after the training that selects
        (RunFolder, "forget_selecting"),  # as the first state of the refit is written
        (Supervisor, "at_epoch"),  # in the refit
    ):
        with monkeypatch.context() as dying:
            dying.setattr(owner, name, saved_and_stopped if name == "at_epoch" else stopped)
            with pytest.raises(Stopped):
                trained(settings, "runs/killed")
    trained(settings, "runs/killed")
    assert_same_model("runs/refit", "runs/killed")
    killed, times = pd.read_csv("runs/killed/epochs.csv"), ["seconds", "events_per_s"]
    pd.testing.assert_frame_equal(killed.drop(columns=times), epochs.drop(columns=times))


def stopped(*_: Any) -> None:
    raise Stopped(2)


def saved_and_stopped(supervisor: Supervisor, record: EpochRecord) -> None:
    assert (record.phase, record.epoch) == (1, 1)
    supervisor.save_checkpoint()
    raise Stopped(2)


def assert_same_model(one: str, other: str) -> None:
    left, right = (read_tensors(Path(run, "model.safetensors"))[0] for run in (one, other))
    assert left.keys() == right.keys()
    assert all(torch.equal(left[name], right[name]) for name in left)
