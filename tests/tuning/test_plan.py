"""Searches as the command line asks for them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from commands.conftest import SMALL, Result
from prnn_cli.run_folder import RunFolder
from tuning.searches import FOLDER, SEARCH

pytest.importorskip("optuna")

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]


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


@pytest.mark.nightly
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
        "search.trials=2",
        "table.figures=false",
    ]
    result = prnn(*chained)
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
    again = prnn(*chained, "resume=true")
    assert again.exit_code == 0, again.err
