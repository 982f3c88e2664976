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

optuna = pytest.importorskip("optuna")

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]

SEARCH = ["train", "search=id_only", *SMALL, "search.trials=4", "epochs=1", "search.prune=false"]
FOLDER = Path("runs/tuned/id_only")


def trials() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "trials.csv")


def test_the_best_trial_is_a_config_that_the_next_command_takes(prnn: Prnn) -> None:
    found = prnn(*SEARCH)
    assert found.exit_code == 0, found.err
    table = trials()
    assert list(table["state"]) == ["done"] * 4
    best = table.loc[table["mrr@20"].idxmax()]
    written = yaml.safe_load(Path("runs/tuned/tuned/id_only.yaml").read_text())["subnets"]["id"]
    assert written["dropout"] == pytest.approx(best["subnets.id.dropout"])
    assert "prnn train -cd runs/tuned tuned=id_only" in found.out

    retrained = prnn(
        "train", "-cd", "runs/tuned", "tuned=id_only", *SMALL, "epochs=1", "hydra.run.dir=runs/best"
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


def test_the_first_trial_has_the_settings_that_the_search_began_with(prnn: Prnn) -> None:
    prnn(*SEARCH, "search.trials=1", "recipe.dropout=0.25")
    assert trials()["subnets.id.dropout"].tolist() == [0.25]


def test_a_search_that_was_stopped_goes_on_with_the_trial_it_was_at(
    prnn: Prnn, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = prnn(*SEARCH, "search.folder=runs/whole")
    assert whole.exit_code == 0

    def stop(search: object, folder: RunFolder) -> list[object]:
        if folder.path.name == "trial-2":
            raise Stopped(15)
        return trial_module.trial_observers(search, folder)  # type: ignore[arg-type, return-value]

    with monkeypatch.context() as patch:
        patch.setattr("prnn_cli.commands.train.trial_observers", stop)
        assert prnn(*SEARCH).exit_code == 143
    refused = prnn(*SEARCH)
    assert refused.exit_code == 2
    assert "add resume=true" in refused.err
    assert prnn(*SEARCH, "resume=true").exit_code == 0
    assert list(trials()["state"]) == ["done"] * 4
    before = pd.read_csv("runs/whole/id_only/trials.csv")
    pd.testing.assert_frame_equal(trials()[:3], before[:3])

    assert prnn(*SEARCH, "resume=true", "search.trials=5").exit_code == 0
    assert len(trials()) == 5


def test_a_trial_that_is_below_the_median_is_pruned_and_stays_in_the_table(
    prnn: Prnn, monkeypatch: pytest.MonkeyPatch
) -> None:
    observers = trial_module.trial_observers

    def falling(search: object, folder: RunFolder) -> list[object]:
        """As if each trial were worse than the one before it."""
        (report,) = observers(search, folder)  # type: ignore[arg-type]
        worth = 0.5 ** int(folder.path.name.removeprefix("trial-"))
        return [lambda number, record, measured: report(number, record, {"mrr@20": worth})]

    monkeypatch.setattr("prnn_cli.commands.train.trial_observers", falling)
    arguments = [each for each in SEARCH if not each.startswith("search.prune")]
    result = prnn(*arguments, "epochs=2", "search.prune_after_trials=1", "search.prune_after_epochs=0")
    assert result.exit_code == 0, result.err
    table = trials()
    assert list(table["state"]) == ["done", "pruned", "pruned", "pruned"]
    assert list(table["epochs"]) == [2, 1, 1, 1]
    assert table["mrr@20"].notna().all()
    assert RunFolder(FOLDER / "trial-1").status()["status"] == "pruned"


def test_a_trial_that_fails_is_a_line_with_its_reason(prnn: Prnn) -> None:
    result = prnn(
        *SEARCH, "search.trials=2", "recipe.activation=linear", "subnets.id.learning_rate=1e38,2e38"
    )
    assert result.exit_code == 1
    assert list(trials()["state"]) == ["failed", "failed"]
    assert trials()["reason"].str.contains("not finite|NaN").all()
    assert "no trial of 2 finished" in result.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["epochs=2"], "epochs was 1 and is now 2"),
        (["dataset.synthetic.seed=1"], "a study of other data"),
        (["search.metric=recall@20"], "a study of mrr@20, not of recall@20"),
        (["subnets.id.dropout=0.1,0.2"], "another space: subnets.id.dropout was"),
    ],
)
def test_a_study_of_something_else_is_refused(prnn: Prnn, arguments: list[str], sentence: str) -> None:
    prnn(*SEARCH, "search.trials=1")
    result = prnn(*SEARCH, *arguments, "resume=true")
    assert result.exit_code == 2
    assert sentence in result.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["subnets.id.dropuot=interval(0,1)"],
            "subnets.id.dropuot is not an option; did you mean subnets.id.dropout?",
        ),
        (["recipe.dropout=interval(0,3)"], "recipe.dropout=3.0 is too large"),
        (["arch=parallel,shared_w"], "arch is a group"),
        (
            ["subnets.image.dropout=interval(0,0.5)"],
            "the search chooses subnets.image.dropout, but arch=id_only",
        ),
        (["dataset.validation_days=0"], "a search measures its trials on the validation part"),
        (["hydra/sweeper=basic"], "needs hydra/sweeper=optuna"),
        (["seeds=2"], "seeds=N does not go with search=NAME"),
    ],
)
def test_a_search_that_cannot_begin_is_a_sentence(prnn: Prnn, arguments: list[str], sentence: str) -> None:
    result = prnn(*SEARCH, *arguments)
    assert result.exit_code == 2
    assert sentence in result.err
    assert not FOLDER.exists() or not (FOLDER / "study.db").exists()


def test_without_the_extra_the_line_to_type_is_told(prnn: Prnn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = prnn(*SEARCH)
    assert result.exit_code == 2
    assert result.err.endswith("type: pip install 'prnn-cli[tune]'\n")


def test_a_file_that_is_no_study_is_refused(prnn: Prnn) -> None:
    FOLDER.mkdir(parents=True)
    (FOLDER / "study.db").write_text("not a database, but long enough to be read as one" * 10)
    result = prnn(*SEARCH, "resume=true")
    assert result.exit_code == 2
    assert "study.db is no study" in result.err


def test_tuned_table4_hands_the_best_settings_to_the_matching_subnets(prnn: Prnn) -> None:
    units = [f"units.{kind}=6" for kind in ("id", "feature", "concatenated", "each")]
    small = [each for each in SMALL if not each.startswith(("arch=", "subnets."))]
    chained = [
        "train",
        "experiment=tuned_table4",
        "dataset=synthetic",
        "row=parallel_res,id_only_10_epochs",
        *small,
        *units,
        "epochs=1",
    ]
    result = prnn(*chained, "search.trials=2")
    assert result.exit_code == 0, result.err
    folder = Path("runs/tuned_table4")
    tuned = {
        name: yaml.safe_load((folder / "search/tuned" / f"{name}_only.yaml").read_text())["subnets"][name]
        for name in ("id", "text")
    }
    subnets = RunFolder(folder / "parallel_res-seed42").config().subnets
    for name, settings in tuned.items():
        assert {key: subnets[name][key] for key in settings} == settings
    assert "| Parallel (res) |" in (folder / "table.md").read_text()
    again = prnn(*chained, "search.trials=2", "resume=true")
    assert again.exit_code == 0, again.err
