"""Searches as a user runs them: on a log that trains in a second, with few trials."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

from commands.conftest import SMALL, Result
from prnn_cli.errors import Stopped
from prnn_cli.experiment import trial as trial_module
from prnn_cli.run_folder import RunFolder, read_json

pytest.importorskip("optuna")
from tuning.searches import FOLDER, SEARCH, trials

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]


def test_the_best_trial_is_a_config_that_the_next_command_takes(prnn: Prnn) -> None:
    found = prnn(*SEARCH, "search.trials=3", "recipe.dropout=0.25")
    assert found.exit_code == 0, found.err
    table = trials()
    assert list(table["state"]) == ["done"] * 3
    assert table["subnets.id.dropout"][0] == 0.25, (
        "the first trial has the settings that the search began with"
    )
    best = table.loc[table["mrr@20"].idxmax()]
    written = yaml.safe_load(Path("runs/tuned/synthetic/tuned/id_only.yaml").read_text())["subnets"]["id"]
    assert written["dropout"] == pytest.approx(best["subnets.id.dropout"])
    assert "prnn train -cd runs/tuned/synthetic tuned=id_only" in found.out

    retrained = prnn(
        "train", "-cd", "runs/tuned/synthetic", "tuned=id_only", *SMALL, "epochs=1", "hydra.run.dir=runs/best"
    )
    assert retrained.exit_code == 0, retrained.err
    config = RunFolder(Path("runs/best")).config()
    assert config.subnets.id.dropout == written["dropout"]
    tuned_on, trained_on = (
        read_json(Path(run) / "metrics.json") for run in (FOLDER / "trial-0", "runs/best")
    )
    assert (tuned_on["part"], trained_on["part"]) == ("validation", "test")
    both = tuned_on["data"]["train"]["events"] + tuned_on["data"]["validation"]["events"]
    assert trained_on["data"]["train"]["events"] == both


@pytest.mark.nightly
def test_a_search_that_was_stopped_goes_on_with_the_trial_it_was_at(
    prnn: Prnn, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = [*SEARCH, "search.trials=3"]
    whole = prnn(*search, "search.folder=runs/whole")
    assert whole.exit_code == 0

    def stop(search: object, folder: RunFolder) -> list[object]:
        if folder.path.name == "trial-1":
            raise Stopped(15)
        return trial_module.trial_observers(search, folder)  # type: ignore[arg-type, return-value]

    with monkeypatch.context() as patch:
        patch.setattr("prnn_cli.commands.train.trial_observers", stop)
        assert prnn(*search).exit_code == 143
    refused = prnn(*search)
    assert refused.exit_code == 2
    assert "add resume=true" in refused.err
    assert prnn(*search, "resume=true").exit_code == 0
    assert list(trials()["state"]) == ["done"] * 3
    before = pd.read_csv("runs/whole/id_only/trials.csv")
    pd.testing.assert_frame_equal(trials()[:2], before[:2])

    assert prnn(*SEARCH, "resume=true").exit_code == 0
    assert len(trials()) == 4


def test_a_trial_that_fails_is_a_line_with_its_reason(prnn: Prnn) -> None:
    result = prnn(
        *SEARCH, "search.trials=2", "recipe.activation=linear", "subnets.id.learning_rate=1e38,2e38"
    )
    assert result.exit_code == 1
    assert list(trials()["state"]) == ["failed", "failed"]
    assert trials()["reason"].str.contains("not finite|NaN").all()
    assert "no trial of 2 finished" in result.err


def test_without_the_extra_the_line_to_type_is_told(prnn: Prnn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = prnn(*SEARCH)
    assert result.exit_code == 2
    assert result.err.endswith("type: pip install 'prnn-cli[tune]'\n")
