"""Which baselines a run ranks, and what is refused before anything is trained."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from commands.conftest import SMALL, Result, refusal
from prnn_cli.errors import UserError
from prnn_cli.experiment.build import baselines_of, check_combination
from prnn_cli.experiment.settings import composed
from prnn_cli.run_folder import read_json

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]
QUICK = [*SMALL, "arch=id_only", "epochs=1", "hydra.run.dir=a"]
STRONG = [
    "item_knn",
    "markov",
    "association_rules",
    "sequential_rules",
    "s_knn",
    "v_sknn",
    "stan",
    "vstan",
    "content_knn",
    "hybrid",
    "popularity",
    "recent_popularity",
    "session_popularity",
]


def ranked(*overrides: str) -> list[str]:
    return list(baselines_of(composed("train", ["arch=id_only", *overrides])).options)


def test_fast_is_what_is_ranked_by_default() -> None:
    assert ranked() == ranked("baselines=fast") == ["item_knn", "markov", "popularity"]


def test_strong_is_all_of_them_item_knn_first() -> None:
    assert ranked("baselines=strong") == STRONG
    assert ranked("baselines=[fast,stan]") == ["item_knn", "markov", "popularity", "stan"]


def test_without_features_strong_leaves_out_what_needs_them() -> None:
    without = [name for name in STRONG if name not in ("content_knn", "hybrid")]
    assert ranked("baselines=strong", "features=none") == without
    # The default features are text, which this log names none of.
    assert ranked("baselines=strong", "dataset=eshop_clothing", "dataset.path=x") == without


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (
            ["features=none"],
            r"baselines=\[content_knn\] compares items by their features: features=none has none",
        ),
        (
            ["dataset=eshop_clothing", "dataset.path=x"],
            "features=text needs text, and dataset=eshop_clothing names none",
        ),
    ],
)
def test_a_baseline_that_is_named_needs_its_features(overrides: list[str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        ranked("baselines=[content_knn]", *overrides)


def test_features_are_those_of_the_baselines_though_the_network_has_none() -> None:
    settings: Any = composed("train", ["arch=id_only", "baselines=[hybrid]", "features=text"])
    assert list(baselines_of(settings).features.sources) == ["text"]
    assert not baselines_of(composed("train", ["arch=id_only", "features=text"])).features.sources


def test_published_settings_are_those_of_a_data_set() -> None:
    baselines = composed("train", ["baselines=published_retailrocket"]).baselines
    assert list(baselines) == STRONG
    assert baselines["stan"].lambda_inh == 0.4525
    assert (baselines["v_sknn"].k, baselines["v_sknn"].weighting_score) == (1500, "linear")
    assert baselines["vstan"].lambda_inh == 0.4525


def test_gains_can_be_over_any_row() -> None:
    check_combination(composed("train", ["arch=id_only", "table.gain_over=parallel_res"]))
    with pytest.raises(UserError, match=r"gain_over=stan is none .* or name a row"):
        check_combination(composed("train", ["arch=id_only", "table.gain_over=stan"]))


def test_strong_baselines_stand_in_metrics_and_tables(prnn: Prnn, workplace: Path) -> None:
    done = prnn("train", *QUICK, "baselines=strong")
    assert done.exit_code == 0, done.err
    metrics = read_json(Path("a/metrics.json"))
    assert list(metrics["baselines"]) == STRONG
    assert metrics["gain_over"] == "item_knn"
    assert metrics["baseline_options"]["content_knn"]["features"].keys() == {"text"}
    assert all(0 < values["recall@20"] <= 1 for values in metrics["baselines"].values())
    assert prnn("tables", "runs=a", "table.figures=false", "hydra.run.dir=t").exit_code == 0
    table = Path("t/table.md").read_text()
    assert table.index("| *Baselines* |") < table.index("| VSTAN |") < table.index("id_only")

    again = prnn("evaluate", "run=a", "evaluation.cutoffs=[5]", "hydra.run.dir=e")
    assert again.exit_code == 0, again.err
    assert list(read_json(Path("e/metrics.json"))["baselines"]) == STRONG
    assert "other options" not in again.err

    other = prnn("evaluate", "run=a", "baselines=[s_knn]", "baselines.s_knn.k=7", "hydra.run.dir=o")
    assert "s_knn is ranked with other options than in the run (k=7 instead of 100)" in other.err


def test_what_was_left_out_stands_in_metrics(prnn: Prnn) -> None:
    done = prnn("train", *QUICK, "baselines=strong", "features=none")
    assert done.exit_code == 0, done.err
    assert "content_knn is left out: features=none has none" in done.err
    assert read_json(Path("a/metrics.json"))["baselines_left_out"].keys() == {"content_knn", "hybrid"}


def test_baselines_of_features_that_have_changed_are_refused(prnn: Prnn, workplace: Path) -> None:
    """The network, which is fed IDs, keeps no vectors of the items."""
    items = pd.DataFrame({"item_id": [f"item-{number:02}" for number in range(60)]})
    items["title"] = [f"word{number % 7} word{number % 11}" for number in range(60)]
    items.to_parquet("items.parquet")
    own = [
        "dataset.items.path=items.parquet",
        "dataset.items.text=[title]",
        "dataset.items.image=null",
        "baselines=[content_knn]",
    ]
    assert prnn("train", *QUICK, *own, "baselines=[content_knn]").exit_code == 0
    items["title"] = items["title"].to_numpy()[::-1]
    items.to_parquet("items.parquet")
    for command in (["evaluate"], ["recommend", "session=[item-01]", "method=content_knn"]):
        refused = refusal(prnn(*command, "run=a"))
        assert "the features that content_knn compares items by are no longer those of the run" in refused


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (["baselines=[v_sknn]", "baselines.v_sknn.k=3000"], "v_sknn.k=3000 neighbours cannot be chosen from"),
        (
            ["baselines=[vstan]", "baselines.vstan.lambda_spw=0"],
            "lambda_spw=0.0 is too small; it must be above 0",
        ),
        (
            ["baselines=[s_knn]", "baselines.s_knn.similarity=dot"],
            "similarity=dot does not exist; choose one of cosine",
        ),
    ],
)
def test_what_a_baseline_cannot_do_is_a_sentence_before_anything_is_trained(
    prnn: Prnn, changes: list[str], sentence: str
) -> None:
    assert sentence in refusal(prnn("train", *QUICK, *changes))
    assert not Path("a/model.safetensors").exists()
