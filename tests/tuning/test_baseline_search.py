"""A search for a baseline's options: nothing is trained, and what it finds is a config like any other."""

import io
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

import pandas as pd
import pytest
import yaml

from commands.conftest import SMALL, Result, refusal
from prnn_cli.cli import main
from prnn_cli.run_folder import CONFIG, RunFolder, read_json
from prnn_cli.system.files import write_text

pytest.importorskip("optuna")
Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]
SEARCH = ["train", "search=sequential_rules", *SMALL, "search.trials=3"]
FOLDER = Path("runs/tuned/synthetic/sequential_rules")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> tuple[Path, str]:
    """The folder of a search of three trials, and what it printed."""
    folder, printed = tmp_path_factory.mktemp("made"), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed):
        patch.chdir(folder)
        patch.setenv("PRNN_CACHE_DIR", str(shared_cache))
        patch.setenv("PRNN_JOBS", "1")
        assert main(SEARCH) == 0
    return folder, printed.getvalue()


@pytest.fixture
def found(made: tuple[Path, str], workplace: Path) -> str:
    """What a search printed that has left a copy of its folder here."""
    folder, printed = made
    shutil.copytree(folder, workplace, dirs_exist_ok=True)
    return printed


def test_the_best_options_are_a_config_that_the_next_command_takes(prnn: Prnn, found: str) -> None:
    trials = pd.read_csv(FOLDER / "trials.csv")
    assert list(trials["state"]) == ["done"] * 3
    assert trials["baselines.sequential_rules.steps"][0] == 10, "the first trial has the present options"
    assert not list(FOLDER.rglob("*.safetensors")), "nothing is trained"
    best = trials.loc[trials["mrr@20"].idxmax()]
    written = yaml.safe_load(Path("runs/tuned/synthetic/tuned/sequential_rules.yaml").read_text())
    assert written["baselines"]["sequential_rules"]["steps"] == best["baselines.sequential_rules.steps"]
    assert "-cd runs/tuned/synthetic baselines=[sequential_rules] tuned=sequential_rules" in found

    tuned = ["-cd", "runs/tuned/synthetic", "baselines=[item_knn,sequential_rules]", "tuned=sequential_rules"]
    done = prnn("train", *tuned, *SMALL, "arch=id_only", "epochs=1", "hydra.run.dir=runs/best")
    assert done.exit_code == 0, done.err
    config = RunFolder(Path("runs/best")).config()
    assert config.baselines.sequential_rules.steps == best["baselines.sequential_rules.steps"]
    part = read_json(FOLDER / "trial-0" / "metrics.json")["part"]
    assert part == "validation"


def test_the_value_of_a_trial_is_what_the_baseline_reaches_beside_a_network(prnn: Prnn, found: str) -> None:
    beside = ["evaluation.part=validation", "dataset.validation_days=1", "baselines=[sequential_rules]"]
    assert prnn("train", *SMALL, *beside, "arch=id_only", "epochs=1", "hydra.run.dir=a").exit_code == 0
    alone, network = (read_json(path / "metrics.json") for path in (FOLDER / "trial-0", Path("a")))
    assert alone["data_hash"] == network["data_hash"]
    assert alone["mrr@20"] == network["baselines"]["sequential_rules"]["mrr@20"]


def test_best_options_without_their_baseline_say_what_to_add(prnn: Prnn, found: str) -> None:
    tuned = ["-cd", "runs/tuned/synthetic", "tuned=sequential_rules"]
    refused = refusal(prnn("train", *tuned, *SMALL))
    assert "sequential_rules is not among the baselines; add it to baselines=[…]" in refused
    first = Path("runs/tuned/synthetic/tuned/sequential_rules.yaml").read_text().splitlines()[1]
    assert first.endswith("baselines=[sequential_rules] tuned=sequential_rules")


def test_a_stopped_trial_says_how_its_search_goes_on(workplace: Path) -> None:
    for folder, where in (
        ("runs/tuned/shop", "search.folder=runs/tuned/shop"),
        ("runs/x/search", "hydra.sweep.dir=runs/x"),
    ):
        trial = Path(folder) / "stan" / "trial-3"
        write_text(trial / CONFIG, f"search: {{folder: {folder}, trial: 3}}")
        assert RunFolder(trial).how_to_resume == f"to continue, run the same command with resume=true {where}"


def test_what_cannot_be_searched_first_is_told_before_anything_is(prnn: Prnn) -> None:
    refused = refusal(prnn("train", *SMALL, "tune=[sequential_rules,nope]", "hydra.sweep.dir=x"))
    assert "search=nope does not exist" in refused
    assert not Path("x").exists()
    assert "add hydra.sweep.dir=DIR" in refusal(
        prnn("train", *SMALL, "tune=[sequential_rules]", "resume=true")
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            ["search.method=markov"],
            "search.method=markov is not among the baselines; add it: baselines=[markov]",
        ),
        (
            ["recipe.dropout=interval(0,0.5)"],
            "ranks sequential_rules alone, which recipe.dropout does not change",
        ),
        (["search.method=null"], "which no network depends on; set search.method=sequential_rules"),
    ],
)
def test_a_search_in_vain_is_refused(prnn: Prnn, changes: list[str], sentence: str) -> None:
    assert sentence in refusal(prnn(*SEARCH, *changes))
