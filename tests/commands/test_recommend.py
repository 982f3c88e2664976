"""prnn recommend: the model of a run, asked for the next items."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from commands.conftest import SMALL, Result, refusal
from prnn_cli.cli import main

Prnn = Callable[..., Result]
OUT = "hydra.run.dir=out"
ALL = ["n=60", "exclude_clicked=false"]  # as many as the log can have


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path, _run_of_small: Path) -> Path:
    """A folder with a run in runs/mine, and its prepared log in data."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PRNN_CACHE_DIR", str(shared_cache))
        assert main(["preprocess", *SMALL[:4], "hydra.run.dir=data"]) == 0
        shutil.copytree(_run_of_small, "runs/mine")
    return folder


@pytest.fixture
def trained(finished: Path, workplace: Path) -> pd.DataFrame:
    """A run in runs/mine, and the events of its log: session_id, item_id, part."""
    shutil.copytree(finished, workplace, dirs_exist_ok=True)
    events = pd.read_parquet("data/events.parquet")
    return events.merge(pd.read_parquet("data/items.parquet"), on="item_index")


def table_of(result: Result) -> list[str]:
    """The lines below the header."""
    header, rule, *lines = result.out.partition("\n\n")[0].splitlines()
    assert max(map(len, (header, rule, *lines))) <= 80
    return lines


def recommended(prnn: Prnn, *arguments: str) -> pd.DataFrame:
    result = prnn("recommend", "run=runs/mine", *arguments, OUT)
    assert result.exit_code == 0, result.err
    return pd.read_parquet("out/recommendations.parquet")


def test_the_target_of_an_event_stands_where_the_evaluation_ranked_it(
    prnn: Prnn, trained: pd.DataFrame
) -> None:
    ranks = pd.read_parquet("runs/mine/ranks.parquet")
    event = ranks[ranks["position"] == 2].iloc[0]
    session = trained[trained["session_index"] == event["session_index"]].sort_values("time", kind="stable")
    before = ",".join(session["item_id"][:2])
    found = recommended(prnn, f"session=[{before}]", *ALL)
    target = session["item_id"].iloc[2]
    assert found.loc[found["item_id"] == target, "rank"].tolist() == [event["rank_network"]]


def test_the_best_items_are_printed_with_their_texts(prnn: Prnn, trained: pd.DataFrame) -> None:
    item = trained["item_id"][0]
    result = prnn("recommend", "run=runs/mine", f"session=[{item}]", "n=3", OUT)
    found = pd.read_parquet("out/recommendations.parquet")
    assert found["rank"].tolist() == [1, 2, 3]
    assert found["score"].is_monotonic_decreasing
    assert all(each in result.out for each in found["item_id"])
    assert "Text" in result.out
    assert len(table_of(result)) == 3
    before = sorted(Path("runs/mine").iterdir())
    assert table_of(prnn("recommend", "run=runs/mine", f"session=[{item}]", "n=3")) == table_of(result)
    assert sorted(Path("runs/mine").iterdir()) == before, "what is printed leaves no folder that nobody named"


@pytest.mark.parametrize("method", ["item_knn", "popularity"])
def test_a_baseline_recommends_what_it_was_ranked_with(
    prnn: Prnn, trained: pd.DataFrame, method: str
) -> None:
    ranks = pd.read_parquet("runs/mine/ranks.parquet")
    event = ranks[(ranks["position"] == 2) & (ranks[f"rank_{method}"] == 1)].iloc[0]
    session = trained[trained["session_index"] == event["session_index"]].sort_values("time", kind="stable")
    before = ",".join(session["item_id"][:2])
    found = recommended(prnn, f"session=[{before}]", f"method={method}", *ALL)
    assert found["item_id"][0] == session["item_id"].iloc[2]
    assert (found["score"] > 0).all()
    Path("out").rename("first")
    others = recommended(prnn, f"session=[{before}]", f"method={method}", "n=60")
    assert set(found["item_id"]) - set(others["item_id"]) <= set(session["item_id"][:2])


def test_a_neighbour_and_a_feature_baseline_recommend(prnn: Prnn, trained: pd.DataFrame) -> None:
    methods = ["baselines=[v_sknn,content_knn]", "baselines.v_sknn.k=50"]
    assert prnn("train", *SMALL, *methods, "hydra.run.dir=runs/other").exit_code == 0
    item = trained["item_id"][0]
    for method in ("v_sknn", "content_knn"):
        asked = ["run=runs/other", f"session=[{item}]", f"method={method}", "n=5", f"hydra.run.dir={method}"]
        done = prnn("recommend", *asked)
        assert done.exit_code == 0, done.err
        found = pd.read_parquet(f"{method}/recommendations.parquet")
        assert len(found) == 5
        assert (found["score"] > 0).all()


def test_a_method_that_the_run_was_not_compared_with_is_refused(prnn: Prnn, trained: pd.DataFrame) -> None:
    refused = refusal(prnn("recommend", "run=runs/mine", "session=[x]", "method=stan"))
    assert "method=stan is none of the baselines that the run was compared with; choose one of" in refused


def test_clicked_items_are_left_out_unless_asked_for(prnn: Prnn, trained: pd.DataFrame) -> None:
    clicked, others = trained["item_id"].unique()[:3].tolist(), set(trained["item_id"].unique()[3:])
    result = prnn("recommend", "run=runs/mine", f"session=[{','.join(clicked)}]", "n=60", OUT)
    found = pd.read_parquet("out/recommendations.parquet")
    assert set(found["item_id"]) == others
    assert found["rank"].tolist() == list(range(1, len(others) + 1))
    assert "exclude_clicked=false keeps them" in result.out
    Path("out").rename("first")
    assert set(recommended(prnn, f"session=[{','.join(clicked)}]", *ALL)["item_id"]) == {*others, *clicked}


def test_the_sessions_of_a_log_are_each_answered_as_alone(prnn: Prnn, trained: pd.DataFrame) -> None:
    a, b, c = trained["item_id"].unique()[:3]
    Path("today.csv").write_text(
        f"session_id,item_id,time\nlate,{c},9\nearly,{a},2\nlate,unknown,8\nearly,{b},1\nnone,unknown,3\n"
    )
    result = prnn("recommend", "run=runs/mine", "session=[]", "sessions=today.csv", *ALL, OUT)
    found = pd.read_parquet("out/recommendations.parquet")
    assert "2 of 5 clicks are on items that the model does not know: left out" in result.err
    assert found["session_id"].unique().tolist() == ["late", "early", "none"]
    for session, clicks in (("early", f"{b},{a}"), ("late", c)):
        Path("out").rename(f"out-{session}")
        alone = recommended(prnn, f"session=[{clicks}]", *ALL)
        own = found[found["session_id"] == session]
        assert own["item_id"].tolist() == alone["item_id"].tolist()
        assert own["score"].tolist() == pytest.approx(alone["score"].tolist(), abs=1e-6)


def test_a_session_without_a_known_item_has_a_line_and_is_counted(prnn: Prnn, trained: pd.DataFrame) -> None:
    item = trained["item_id"][0]
    Path("today.csv").write_text(f"session_id,item_id,time\nnone,unknown,3\nknown,{item},3\n")
    for ending in ("csv", "jsonl", "parquet"):
        result = prnn("recommend", "run=runs/mine", "sessions=today.csv", "n=2", f"output=mine.{ending}", OUT)
        assert "of 2 sessions" in result.out
        assert "1 of them: no click on an item that the model knows" in result.out
        shutil.rmtree("out")
    found = pd.read_parquet("mine.parquet")
    assert found["session_id"].tolist() == ["none", "known", "known"]
    assert found["rank"].isna().tolist() == found["item_id"].isna().tolist() == [True, False, False]
    assert Path("mine.csv").read_text().splitlines()[:2] == [
        '"session_id","rank","item_id","score"',
        '"none",,,',
    ]
    first, second, _ = map(json.loads, Path("mine.jsonl").read_text().splitlines())
    assert first == {"session_id": "none", "rank": None, "item_id": None, "score": None}
    assert second == {
        "session_id": "known",
        "rank": 1,
        "item_id": found["item_id"][1],
        "score": second["score"],
    }
    assert second["score"] == pytest.approx(found["score"][1])


def test_the_first_sessions_are_shown_in_80_columns(prnn: Prnn, trained: pd.DataFrame) -> None:
    item = trained["item_id"][0]
    rows = [f"a session of a long name {n},{item},{n}" for n in range(9)]
    Path("today.csv").write_text("\n".join(["session_id,item_id,time", *rows]) + "\n")
    result = prnn("recommend", "run=runs/mine", "sessions=today.csv", OUT)
    lines = table_of(result)
    found = pd.read_parquet("out/recommendations.parquet")
    assert len(lines) == 5
    assert lines[0].startswith(f"a session of a long…  {found['item_id'][0]}, {found['item_id'][1]}, ")


def test_a_stream_is_answered_as_the_log_is(
    prnn: Prnn, trained: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prnn_cli.commands.recommend.BLOCK", 7)
    monkeypatch.setattr("prnn_cli.data.formats.parquet_files.BLOCK_ROWS", 50)
    log = trained[trained["session_index"] < 60].sort_values(["session_index", "time"], kind="stable")
    log = log.assign(session_id=log["session_index"].astype(str))[["session_id", "item_id", "time"]]
    log.to_parquet("month.parquet")
    expected = recommended(prnn, "sessions=month.parquet", "n=3")
    for ending in ("parquet", "csv"):
        shutil.rmtree("out")
        streamed = recommended(prnn, "sessions=month.parquet", "stream=true", "n=3", f"output=next.{ending}")
        pd.testing.assert_frame_equal(streamed, expected, rtol=1e-5)
    assert pd.read_parquet("next.parquet").equals(streamed)
    assert len(pd.read_csv("next.csv")) == len(expected)


def test_a_stream_that_fails_leaves_no_half_of_a_file(prnn: Prnn, trained: pd.DataFrame) -> None:
    item = trained["item_id"][0]
    Path("today.csv").write_text(f"session_id,item_id,time\na,{item},1\nb,{item},2\na,{item},3\n")
    asked = ["run=runs/mine", "sessions=today.csv", "stream=true", "output=next.csv"]
    assert "the session a goes on after others" in refusal(prnn("recommend", *asked))
    assert not list(Path().glob("*next*"))


def test_items_are_allowed_or_denied_by_files(prnn: Prnn, trained: pd.DataFrame) -> None:
    a, b, c, d = trained["item_id"].unique()[:4]
    Path("today.csv").write_text(f"session_id,item_id,time\none,{a},1\ntwo,{b},2\n")
    Path("stock.csv").write_text(f"item_id\n{a}\n{c}\n{d}\nunheard of\n")
    pd.DataFrame({"session_id": ["one", "three"], "item_id": [c, a]}).to_parquet("seen.parquet")
    for method in ([], ["method=popularity"]):
        lists = ["allow=stock.csv", "deny=seen.parquet", *method]
        found = recommended(prnn, "sessions=today.csv", "n=60", *lists).groupby("session_id")["item_id"]
        assert {key: set(items) for key, items in found} == {"one": {d}, "two": {a, c, d}}
        shutil.rmtree("out")


def test_shares_of_the_subnets_are_columns(prnn: Prnn, trained: pd.DataFrame) -> None:
    found = recommended(prnn, f"session=[{trained['item_id'][0]}]", "explain=true", "n=4")
    assert list(found.columns) == ["session_id", "rank", "item_id", "score", "share_id"]
    assert np.tanh(found["share_id"]).tolist() == pytest.approx(found["score"].tolist(), rel=1e-4)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "give one of session=[ITEM_ID,ITEM_ID] (the clicks so far) and sessions=FILE"),
        (["session=[a]", "sessions=today.csv"], "give one of session=[ITEM_ID,ITEM_ID]"),
        (["session=[]"], "give one of session=[ITEM_ID,ITEM_ID]"),
        (["session=[nope]"], "session=nope is no item of the prepared log"),
        (["session=x"], "session=x cannot be told into ids"),
        (["sessions=nowhere.csv"], "prnn: sessions=nowhere.csv does not exist; give a file"),
        (["sessions=nowhere/*.csv"], "prnn: sessions=nowhere/*.csv matches no file"),
        (
            ["sessions=strange.csv", "output=a.xls"],
            "output=a.xls has an unknown ending; it must be one of .parquet, .csv",
        ),
        (["sessions=strange.csv", "output=strange.csv"], "output=strange.csv is there already; remove it"),
        (["sessions=strange.csv", "output=no/a.csv"], "output=no/a.csv lies in no folder; make no first"),
        (["sessions=strange.csv"], "none of the items in sessions=strange.csv is known to the model"),
        (["session=[a]", "n=0"], "n=0"),
        (["session=[a]", "stream=true"], "stream=true reads a log of sessions, sessions=FILE"),
        (["session=[a]", "method=popularity", "explain=true"], "leave method out"),
        (["sessions=strange.csv", "allow=nowhere.csv"], "allow=nowhere.csv does not exist"),
        (["sessions=strange.csv", "deny=bare.csv"], "deny=bare.csv has no column item_id; it has 'sku'"),
        (["sessions=strange.csv", "allow=other.csv"], "none of the items in sessions=strange.csv"),
    ],
)
def test_what_cannot_be_answered_is_a_sentence(
    prnn: Prnn, trained: pd.DataFrame, arguments: list[str], sentence: str
) -> None:
    Path("strange.csv").write_text("session_id,item_id,time\n1,x,1\n1,y,2\n")
    Path("bare.csv").write_text("sku\na\n")
    Path("other.csv").write_text("item_id\na\n")
    result = prnn("recommend", "run=runs/mine", *arguments, OUT)
    assert result.exit_code == 2
    assert sentence in result.err


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("session_id,item_id,at\n1,x,1\n", "has no column 'time'"),
        ("session_id,item_id\n1,x\n", "has no column 'time'"),
        ("session_id,item_id,time\n", "sessions=today.csv has a header but no rows"),
        ("session_id,item_id,time\n1,x,\n", "cannot be read as a time"),
        ("session_id,item_id,time\n1,x,yesterday\n", "cannot be read as a time"),
        ("session_id,item_id,time\n,x,1\n", "column 'session_id': is empty"),
        ("", "today.csv"),
    ],
)
def test_a_log_of_sessions_that_is_none_is_named(
    prnn: Prnn, trained: pd.DataFrame, content: str, sentence: str
) -> None:
    Path("today.csv").write_text(content)
    found = refusal(prnn("recommend", "run=runs/mine", "sessions=today.csv", OUT))
    assert "sessions=today.csv is read with the dataset's settings of the run: " in found
    assert sentence in found
    assert "dataset.path" not in found


def test_a_run_that_is_not_there_is_a_sentence(prnn: Prnn) -> None:
    result = prnn("recommend", "run=nowhere", "session=[a]")
    assert result.exit_code == 2
    assert "run=nowhere is not the folder of a run" in result.err
