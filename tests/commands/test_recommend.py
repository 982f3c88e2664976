"""prnn recommend: the model of a run, asked for the next items."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from commands.conftest import SMALL, Result

Prnn = Callable[..., Result]
RUN = "hydra.run.dir=runs/mine"
OUT = "hydra.run.dir=out"
ALL = "n=60"  # as many as the log can have


@pytest.fixture
def trained(prnn: Prnn) -> pd.DataFrame:
    """A run in runs/mine, and the events of its log: session_id, item_id, part."""
    assert prnn("preprocess", *SMALL[:4], "hydra.run.dir=data").exit_code == 0
    assert prnn("train", *SMALL, RUN).exit_code == 0
    events = pd.read_parquet("data/events.parquet")
    return events.merge(pd.read_parquet("data/items.parquet"), on="item_index")


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
    found = recommended(prnn, f"session=[{before}]", ALL)
    target = session["item_id"].iloc[2]
    assert found.loc[found["item_id"] == target, "rank"].tolist() == [event["rank_network"]]


def test_the_best_items_are_printed_with_their_texts(prnn: Prnn, trained: pd.DataFrame) -> None:
    item = trained["item_id"][0]
    result = prnn("recommend", "run=runs/mine", f"session=[{item}]", "n=3", "exclude_clicked=true", OUT)
    found = pd.read_parquet("out/recommendations.parquet")
    assert found["rank"].tolist() == [1, 2, 3]
    assert found["score"].is_monotonic_decreasing
    assert item not in set(found["item_id"])
    assert all(each in result.out for each in found["item_id"])
    assert "Text" in result.out


def test_the_sessions_of_a_log_are_each_answered_as_alone(prnn: Prnn, trained: pd.DataFrame) -> None:
    a, b, c = trained["item_id"].unique()[:3]
    Path("today.csv").write_text(
        f"session_id,item_id,time\nlate,{c},9\nearly,{a},2\nlate,unknown,8\nearly,{b},1\nnone,unknown,3\n"
    )
    result = prnn("recommend", "run=runs/mine", "session=[]", "sessions=today.csv", ALL, OUT)
    found = pd.read_parquet("out/recommendations.parquet")
    assert "2 of 5 clicks are on items that the model does not know: left out" in result.err
    assert "best next items of 2 sessions" in result.out
    for session, clicks in (("early", f"{b},{a}"), ("late", c)):
        Path("out").rename(f"out-{session}")
        alone = recommended(prnn, f"session=[{clicks}]", ALL)
        own = found[found["session_id"] == session]
        assert own["item_id"].tolist() == alone["item_id"].tolist()
        assert own["score"].tolist() == pytest.approx(alone["score"].tolist(), abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "give one of session=[ITEM_ID,ITEM_ID] (the clicks so far) and sessions=FILE"),
        (["session=[a]", "sessions=today.csv"], "give one of session=[ITEM_ID,ITEM_ID]"),
        (["session=[]"], "give one of session=[ITEM_ID,ITEM_ID]"),
        (["session=[nope]"], "session=nope is no item of the prepared log"),
        (["sessions=nowhere.csv"], "nowhere.csv"),
        (["sessions=strange.csv"], "none of the items in sessions=strange.csv is known to the model"),
        (["session=[a]", "n=0"], "n=0"),
    ],
)
def test_what_cannot_be_answered_is_a_sentence(
    prnn: Prnn, trained: pd.DataFrame, arguments: list[str], sentence: str
) -> None:
    Path("strange.csv").write_text("session_id,item_id,time\n1,x,1\n1,y,2\n")
    result = prnn("recommend", "run=runs/mine", *arguments, OUT)
    assert result.exit_code == 2
    assert sentence in result.err


def test_a_run_that_is_not_there_is_a_sentence(prnn: Prnn) -> None:
    result = prnn("recommend", "run=nowhere", "session=[a]")
    assert result.exit_code == 2
    assert "run=nowhere is not the folder of a run" in result.err
