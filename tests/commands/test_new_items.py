"""Items that training has not seen: held out or new, with rows from their texts, ranked apart, and recommended."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import prnn_cli
from commands.conftest import SMALL, Result, refusal

Prnn = Callable[..., Result]
COLD = ["features=text", "evaluation.cold_items=0.2", "baselines=[item_knn,content_knn]"]


def metrics_of(folder: str) -> dict[str, dict[str, dict[str, float]]]:
    found: dict[str, dict[str, dict[str, float]]] = json.loads(Path(folder, "metrics.json").read_text())
    return found


def test_held_out_items_are_ranked_by_rows_from_their_texts(prnn: Prnn) -> None:
    done = prnn("train", *SMALL, *COLD, "hydra.run.dir=runs/ridge")
    assert done.exit_code == 0, done.err
    metrics = metrics_of("runs/ridge")
    ranks = pd.read_parquet("runs/ridge/ranks.parquet")
    cold = ranks["support"] == 0
    assert metrics["cold"]["events"] == cold.sum() > 0
    assert metrics["warm"]["events"] == (~cold).sum()
    for method in ("network", "item_knn", "content_knn"):
        for part, chosen in (("cold", cold), ("warm", ~cold)):
            hits = (ranks.loc[chosen, f"rank_{method}"] <= 20).mean()
            assert metrics[part][method]["recall@20"] == pytest.approx(hits)
    assert metrics["cold"]["item_knn"]["recall@20"] == 0
    num_items = len(pd.read_parquet("runs/ridge/items.parquet"))
    assert metrics["cold"]["chance"]["recall@20"] == pytest.approx(20 / num_items)
    assert "cold recall@20" in done.out
    assert "new_items.fit=ridge" in done.out
    assert "cold: " in Path("runs/ridge/results.md").read_text()

    assert prnn("train", *SMALL, *COLD, "new_items.fit=none", "hydra.run.dir=runs/none").exit_code == 0
    assert metrics_of("runs/none")["warm"]["network"] != metrics["warm"]["network"]
    assert metrics_of("runs/none")["cold"]["content_knn"] == metrics["cold"]["content_knn"]


def test_rows_of_new_items_go_with_the_model(prnn: Prnn) -> None:
    for boost in (1, 5):
        asked = [*SMALL, *COLD, f"new_items.boost={boost}", f"hydra.run.dir=runs/{boost}"]
        assert prnn("train", *asked).exit_code == 0
    runs = {boost: prnn_cli.load_run(f"runs/{boost}") for boost in (1, 5)}
    new = (runs[1].items["support"] == 0).to_numpy()
    vectors = {boost: run.item_vectors for boost, run in runs.items()}
    assert np.array_equal(vectors[1][~new], vectors[5][~new])
    mean = vectors[1][~new].mean(axis=0)
    np.testing.assert_allclose(vectors[5][new] - mean, 5 * (vectors[1][new] - mean), rtol=1e-3, atol=1e-4)
    sessions = [[item] for item in runs[1].items["item_id"]]
    shares = {}
    for boost, run in runs.items():
        told = set(run.items["item_id"][new])
        shares[boost] = run.recommend(sessions, k=5)["item_id"].isin(told).mean()
    assert shares[5] > shares[1], "the further out they lie, the more they are recommended"


def test_items_first_seen_in_the_test_part_may_stay(prnn: Prnn, workplace: Path) -> None:
    rows = [f"s{n},{'abcdefghij'[(n + k) % 10]},{n * 1000 + k}" for n in range(200) for k in range(3)]
    rows += [f"t{n},{item},{400_000 + n * 100 + k}" for n in range(20) for k, item in enumerate("anb")]
    Path("log.csv").write_text("\n".join(["session_id,item_id,time", *rows]) + "\n")
    texts = [f"{item},{'lamp' if item in 'abn' else 'vase'} {item}x" for item in "abcdefghijn"]
    Path("items.csv").write_text("\n".join(["item_id,title", *texts]) + "\n")
    log = [
        "dataset=generic",
        "dataset.path=log.csv",
        "dataset.items.path=items.csv",
        "dataset.items.text=[title]",
    ]
    small = [*log, "features=text", "features.tfidf.min_documents=1", "arch=id_only", "epochs=1"]
    done = prnn("train", *small, "dataset.keep_new_items=true", "hydra.run.dir=new")
    assert done.exit_code == 0, done.err
    metrics = metrics_of("new")
    assert metrics["cold"]["items"] == 1
    assert metrics["cold"]["events"] == 20
    assert prnn("train", *small, "hydra.run.dir=old").exit_code == 0
    assert "cold" not in metrics_of("old")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["new_items.fit=ridge"],
            "new_items.fit=ridge: every item of the data is trained; set evaluation.cold_items",
        ),
        (
            ["new_items.fit=ridge", "features=none", "evaluation.cold_items=0.1"],
            "features=none has none; choose",
        ),
        (["evaluation.cold_items=0.95"], "cold_items"),
        (["new_items.fit=magic"], "new_items.fit=magic"),
    ],
)
def test_mistakes_are_explained(prnn: Prnn, workplace: Path, options: list[str], message: str) -> None:
    assert message in refusal(prnn("train", *SMALL, *options))
