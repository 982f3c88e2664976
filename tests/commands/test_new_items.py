"""Items that training has not seen: held out or new, with rows from their texts, ranked apart, and recommended."""

import io
import json
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import prnn_cli
from commands.conftest import SMALL, Result, refusal
from prnn_cli.cli import main

Prnn = Callable[..., Result]
COLD = ["features=text", "evaluation.cold_items=0.2", "baselines=[item_knn,content_knn]"]


def metrics_of(folder: str) -> dict[str, dict[str, dict[str, float]]]:
    found: dict[str, dict[str, dict[str, float]]] = json.loads(Path(folder, "metrics.json").read_text())
    return found


@pytest.fixture(scope="module")
def held_out(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> tuple[Path, str]:
    """The folder of a run with held out items, and what it printed."""
    folder, printed = tmp_path_factory.mktemp("held out"), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed):
        patch.setenv("PRNN_CACHE_DIR", str(shared_cache))
        assert main(["train", *SMALL, *COLD, f"hydra.run.dir={folder}/ridge"]) == 0
    return folder / "ridge", printed.getvalue()


@pytest.fixture
def ridge(held_out: tuple[Path, str], workplace: Path) -> str:
    """What a run printed that lies in runs/ridge."""
    run, printed = held_out
    shutil.copytree(run, "runs/ridge")
    return printed


def test_held_out_items_are_ranked_by_rows_from_their_texts(prnn: Prnn, ridge: str) -> None:
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
    assert "cold recall@20" in ridge
    assert "new_items.fit=ridge" in ridge
    assert "cold: " in Path("runs/ridge/results.md").read_text()

    assert prnn("train", *SMALL, *COLD, "new_items.fit=none", "hydra.run.dir=runs/none").exit_code == 0
    assert metrics_of("runs/none")["warm"]["network"] != metrics["warm"]["network"]
    assert metrics_of("runs/none")["cold"]["content_knn"] == metrics["cold"]["content_knn"]


@pytest.mark.usefixtures("ridge")
def test_rows_of_new_items_go_with_the_model(prnn: Prnn) -> None:
    assert prnn("train", *SMALL, *COLD, "new_items.boost=5", "hydra.run.dir=runs/boosted").exit_code == 0
    runs = {boost: prnn_cli.load_run(f"runs/{name}") for boost, name in ((1, "ridge"), (5, "boosted"))}
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
            ["new_items.fit=ridge", "features=none", "evaluation.cold_items=0.1"],
            "features=none has none; choose",
        ),
        (["evaluation.cold_items=0.95"], "cold_items"),
        (["new_items.fit=magic"], "new_items.fit=magic"),
    ],
)
def test_mistakes_are_explained(prnn: Prnn, workplace: Path, options: list[str], message: str) -> None:
    assert message in refusal(prnn("train", *SMALL, *options))


NEW_TEXT = ["arch=parallel", "features=text", "units.each=8", "strategy=simultaneous"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run in runs/mine, and the cache that it was made with."""
    folder = tmp_path_factory.mktemp("new items")
    small = [each for each in SMALL if not each.startswith(("arch=", "subnets."))]
    small += [f"cache_dir={folder}/cache", f"hydra.run.dir={folder}/runs/mine"]
    assert main(["train", *small, *NEW_TEXT]) == 0
    return folder


@pytest.fixture
def described(trained: Path, workplace: Path) -> pd.DataFrame:
    """A run in runs/mine, and new items in new.csv: twins of three trained ones, by their texts, one that is known, and
    one of no known word."""
    shutil.copytree(trained / "runs", "runs")
    (table,) = trained.glob("cache/synthetic/*/items.parquet")
    items = pd.read_parquet(table)
    twins = items[items["item_id"].isin(prnn_cli.load_run("runs/mine").items["item_id"])].iloc[:3]
    new = pd.concat([twins.assign(item_id=[f"twin of {each}" for each in twins["item_id"]]), twins.iloc[:1]])
    strange = pd.DataFrame({"item_id": ["strange"], "title": ["qqqq"], "description": ["zzzz"]})
    new = pd.concat([new, strange])[["item_id", "title", "description"]]
    new.to_csv("new.csv", index=False)
    return new


def test_new_items_are_recommended_exported_and_leave_the_others_as_they_are(
    prnn: Prnn, described: pd.DataFrame
) -> None:
    run, extended = prnn_cli.load_run("runs/mine"), prnn_cli.load_run("runs/mine", new_items="new.csv")
    assert extended.num_items == run.num_items + 3
    assert np.array_equal(extended.item_vectors[: run.num_items], run.item_vectors)
    ids = extended.items["item_id"]
    assert ids[run.num_items :].tolist() == described["item_id"][:3].tolist()
    assert (extended.items["support"][run.num_items :] == 0).all()
    sessions = [[item] for item in run.items["item_id"][:20]]
    np.testing.assert_allclose(
        extended.scores(sessions)[:, : run.num_items], run.scores(sessions), rtol=1e-5, atol=1e-6
    )
    new = described["item_id"].iloc[0]
    assert np.isfinite(extended.scores([[new]])).all(), "a click on a new item is known"
    told = extended.recommend([[new]], k=5, allow=described["item_id"].tolist())
    assert set(told["item_id"]) == set(described["item_id"][1:4])

    asked = ["run=runs/mine", f"session=[{new}]", "n=5", "new_items=new.csv", "hydra.run.dir=out"]
    done = prnn("recommend", *asked)
    assert done.exit_code == 0, done.err
    assert "1 of the 4 new items have no feature that the model knows, and are left out" in done.err
    found = pd.read_parquet("out/recommendations.parquet")
    assert found["item_id"].tolist() == extended.recommend([[new]], k=5)["item_id"].tolist()
    pytest.importorskip("onnx")
    assert prnn("export", "run=runs/mine", "out=model", "new_items=new.csv").exit_code == 0
    assert np.array_equal(np.load("model/item_vectors.npy"), extended.item_vectors)
    assert pd.read_parquet("model/items.parquet")["item_id"].tolist() == ids.tolist()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "new_items=file.csv is not there"),
        ([4], "it would have nothing to go by"),
    ],
)
def test_what_is_no_file_of_new_items_is_explained(
    described: pd.DataFrame, rows: list[int], message: str
) -> None:
    if rows:
        described.iloc[rows].to_csv("file.csv", index=False)
    with pytest.raises(prnn_cli.UserError, match=message):
        prnn_cli.load_run("runs/mine", new_items="file.csv")


def test_a_boost_is_chosen_where_a_run_is_used(prnn: Prnn, described: pd.DataFrame) -> None:
    run = prnn_cli.load_run("runs/mine")
    by_boost = {each: prnn_cli.load_run("runs/mine", "new.csv", each).item_vectors for each in (None, 1, 3)}
    assert np.array_equal(by_boost[None], by_boost[1])
    mean = run.item_vectors.mean(axis=0)
    apart = {each: by_boost[each][run.num_items :] - mean for each in (1, 3)}
    np.testing.assert_allclose(apart[3], 3 * apart[1], rtol=1e-2, atol=1e-3)
    asked = [
        "run=runs/mine",
        "session=[item-03]",
        "n=3",
        "new_items=new.csv",
        "boost=20",
        "hydra.run.dir=out",
    ]
    assert prnn("recommend", *asked).exit_code == 0
    told = pd.read_parquet("out/recommendations.parquet")["item_id"].tolist()
    assert told[0] in described["item_id"].tolist()
    assert "boost=-1" in refusal(prnn("recommend", *asked[:-2], "boost=-1"))


def test_a_file_without_new_items_changes_nothing(
    described: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    """As when the run was trained anew, and knows them all."""
    described.iloc[[3]].to_csv("old.csv", index=False)
    run, extended = (prnn_cli.load_run("runs/mine", new_items=each) for each in (None, "old.csv"))
    assert extended.items.equals(run.items)
    assert "describes no item that the model does not know already: nothing is added" in caplog.text


def test_vectors_of_new_items(prnn: Prnn, trained: Path, workplace: Path) -> None:
    """Ids that stand twice count once; nothing is left in the current folder."""
    ids = prnn_cli.load_run(trained / "runs/mine").items["item_id"].tolist()
    vectors = pd.DataFrame({"item_id": ids, "vector": list(np.random.default_rng(0).random((len(ids), 4)))})
    vectors.to_parquet("vectors.parquet")
    asked = [
        "features=precomputed",
        "features.precomputed.path=vectors.parquet",
        "units.each=8",
        "arch=parallel",
    ]
    small = [each for each in SMALL if not each.startswith(("arch=", "subnets."))]
    assert prnn("train", *small, *asked, "hydra.run.dir=runs/vectors").exit_code == 0
    new = vectors.iloc[:2].assign(item_id="new")
    pd.concat([new, vectors]).to_parquet("new.parquet")
    before = sorted(Path().iterdir())
    run = prnn_cli.load_run("runs/vectors", new_items="new.parquet")
    assert run.items["item_id"].tolist() == [*ids, "new"]
    assert set(run.recommend([[ids[0]]], k=2, allow=["new", ids[1]])["item_id"]) == {"new", ids[1]}
    assert sorted(Path().iterdir()) == before


@pytest.mark.usefixtures("ridge")
def test_an_evaluation_measures_cold_and_warm_anew(prnn: Prnn) -> None:
    asked = ["run=runs/ridge", "baselines=[item_knn]", "evaluation.candidates=20", "hydra.run.dir=again"]
    done = prnn("evaluate", *asked)
    assert done.exit_code == 0, done.err
    metrics, ranks = metrics_of("again"), pd.read_parquet("again/ranks.parquet")
    cold = ranks["support"] == 0
    hits = (ranks.loc[cold, "rank_network"] <= 20).mean()
    assert metrics["cold"]["network"]["recall@20"] == pytest.approx(hits)
    assert metrics["cold"]["chance"]["recall@20"] == pytest.approx(20 / 21)
    assert metrics["warm"]["chance"]["recall@20"] == 1
    assert set(metrics["cold"]) == {"events", "items", "network", "item_knn", "chance"}


def test_what_takes_no_new_items_says_so(prnn: Prnn, described: pd.DataFrame) -> None:
    asked = ["run=runs/mine", "session=[item-03]"]
    Path("bare.csv").write_text("item_id\na\n")
    assert "has no column 'title'" in refusal(prnn("recommend", *asked, "new_items=bare.csv"))
    assert "leave method out" in refusal(prnn("recommend", *asked, "new_items=new.csv", "method=item_knn"))
    assert prnn("train", *SMALL, "hydra.run.dir=runs/ids").exit_code == 0
    with pytest.raises(prnn_cli.UserError, match="arch=id_only ignores features"):
        prnn_cli.load_run("runs/ids", new_items="new.csv")
