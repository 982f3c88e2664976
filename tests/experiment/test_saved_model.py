"""A finished run is taken up again, or refused by what is wrong with it."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from omegaconf import OmegaConf
from safetensors.torch import load_file, save_file

from commands.conftest import SMALL, Result
from prnn_cli.experiment.saved_model import _stored_settings
from prnn_cli.run_folder import CONFIG, RunFolder

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]

DATASET = SMALL[:4]
RUN = "hydra.run.dir=runs/mine"


def test_evaluate_finds_a_log_whose_path_was_relative_from_elsewhere(
    prnn: Prnn, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(f"s{s}", f"i{(s + n) % 7}", 8640 * s + n) for s in range(60) for n in range(4)]
    pd.DataFrame(rows, columns=["session_id", "item_id", "time"]).to_csv("clicks.csv", index=False)
    own = [*SMALL[4:], "dataset=generic", "dataset.path=clicks.csv", "hydra.run.dir=runs/mine"]
    assert prnn("train", *own).exit_code == 0
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert prnn("evaluate", "run=../runs/mine").exit_code == 0


def test_evaluate_refuses_what_prnn_train_did_not_leave(prnn: Prnn) -> None:
    prnn("preprocess", *DATASET, "hydra.run.dir=runs/data")
    result = prnn("evaluate", "run=runs/data")
    assert result.exit_code == 2
    assert "is the folder of prnn preprocess" in result.err
    assert not list(Path("runs/data").glob("evaluation*"))


def test_evaluate_refuses_a_log_that_has_changed_once_the_cache_has_forgotten_the_old_one(
    prnn: Prnn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "clicks.csv"
    rows = [(f"s{s}", f"i{(s + n) % 7}", 86400 * s // 10 + n) for s in range(60) for n in range(4)]
    pd.DataFrame(rows, columns=["session_id", "item_id", "time"]).to_csv(log, index=False)
    own = [*SMALL[4:], "dataset=generic", f"dataset.path={log}", "hydra.run.dir=runs/mine"]
    assert prnn("train", *own).exit_code == 0
    log.write_text(log.read_text() + "s0,i0,5\n")
    assert prnn("evaluate", "run=runs/mine").exit_code == 0
    monkeypatch.setenv("PRNN_CACHE_DIR", str(tmp_path / "empty"))
    result = prnn("evaluate", "run=runs/mine")
    assert result.exit_code == 2
    assert "have changed since the model was trained" in result.err


def test_evaluate_names_a_damaged_model(prnn: Prnn, run_of_small: Path) -> None:
    model = run_of_small / "model.safetensors"
    model.write_bytes(model.read_bytes()[:-50])
    result = prnn("evaluate", "run=runs/mine")
    assert result.exit_code == 2
    assert "model.safetensors is not a readable model" in result.err


@pytest.mark.parametrize("command", [["evaluate"], ["recommend", "session=[i1]"]])
def test_a_model_and_metrics_of_another_format_are_refused(
    prnn: Prnn, run_of_small: Path, command: list[str]
) -> None:
    model, metrics = run_of_small / "model.safetensors", run_of_small / "metrics.json"
    save_file(load_file(model), model, {"format": "1"})
    refused = prnn(*command, "run=runs/mine", "hydra.run.dir=first")
    assert refused.exit_code == 2
    assert (
        "model.safetensors is a model of format 1, and this prnn reads format 2; use it with" in refused.err
    )
    metrics.write_text(json.dumps(json.loads(metrics.read_text()) | {"format": 2}))
    refused = prnn(*command, "run=runs/mine", "hydra.run.dir=second")
    assert refused.exit_code == 2
    assert "metrics.json is a result of format 2, and this prnn reads format 3; read it with" in refused.err


def test_evaluate_refuses_a_run_that_is_not_finished(prnn: Prnn) -> None:
    diverging = ["recipe.activation=linear", "recipe.learning_rate=1e38"]
    prnn("train", *SMALL, *diverging, "hydra.run.dir=runs/mine")
    result = prnn("evaluate", "run=runs/mine")
    assert result.exit_code == 2
    assert "runs/mine is not finished (status: failed)" in result.err


def test_options_that_came_after_a_run_have_their_defaults(prnn: Prnn) -> None:
    """As if the run were of a version that knew neither jobs nor new items, nor rankings of held-out ones."""
    assert prnn("train", *SMALL, RUN).exit_code == 0
    folder = RunFolder(Path("runs/mine"))
    before = _stored_settings(folder)
    config = folder.config()
    del config.jobs, config.new_items, config.evaluation.cold_items
    (folder.path / CONFIG).write_text(OmegaConf.to_yaml(config))
    assert _stored_settings(folder) == before
