"""A run in use: every way to hand it sessions, every rule, and numbers that agree with each other."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import prnn_cli
from serving.conftest import train_in


@pytest.fixture(scope="module")
def ids(parallel_run: prnn_cli.Run) -> list[str]:
    return parallel_run.items["item_id"].tolist()


def test_a_run_is_taken_up_from_its_folder(parallel_run: prnn_cli.Run) -> None:
    again = prnn_cli.load_run(parallel_run.folder)
    assert again.metrics == parallel_run.metrics
    assert again.metrics["arch"] == "parallel"
    assert again.items.equals(parallel_run.items)
    assert "parallel on synthetic" in repr(again)


def test_sessions_may_be_lists_a_dict_or_a_frame(parallel_run: prnn_cli.Run, ids: list[str]) -> None:
    a, b, c = ids[:3]
    listed = parallel_run.recommend([[a, b], [c]], k=3)
    named = parallel_run.recommend({"one": [a, b], "two": [c]}, k=3)
    clicks = pd.DataFrame({"session_id": ["two", "one", "one"], "item_id": [c, b, a], "time": [3, 2, 1]})
    framed = parallel_run.recommend(clicks, k=3)
    assert listed["session_id"].tolist() == [0, 0, 0, 1, 1, 1]
    assert named["session_id"].tolist() == ["one"] * 3 + ["two"] * 3
    assert named.drop(columns="session_id").equals(listed.drop(columns="session_id"))
    assert framed.set_index("session_id").loc["one", "item_id"].tolist() == listed["item_id"][:3].tolist()
    assert framed.set_index("session_id").loc["two", "item_id"].tolist() == listed["item_id"][3:].tolist()


def test_an_iterator_of_sessions_gives_frames_as_they_are_asked_for(
    parallel_run: prnn_cli.Run, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prnn_cli.serving.finished_run.BLOCK", 2)
    taken = 0

    def endless() -> Any:
        nonlocal taken
        while True:
            taken += 1
            yield [ids[taken]]

    frames = parallel_run.recommend(endless(), k=1)
    first, second = next(frames), next(frames)
    assert taken == 4
    assert [*first["session_id"], *second["session_id"]] == [0, 1, 2, 3]
    expected = parallel_run.recommend([[ids[n]] for n in range(1, 5)], k=1)
    assert [*first["item_id"], *second["item_id"]] == expected["item_id"].tolist()


def test_scores_are_products_of_vectors_and_order_what_is_recommended(
    parallel_run: prnn_cli.Run, ids: list[str]
) -> None:
    sessions = [[ids[3], ids[1]], [ids[7]]]
    scores = parallel_run.scores(sessions)
    logits = parallel_run.session_vectors(sessions) @ parallel_run.item_vectors.T
    np.testing.assert_allclose(scores, np.tanh(logits), rtol=1e-5)
    found = parallel_run.recommend(sessions, k=5, exclude_clicked=False)
    for session in (0, 1):
        of_session = found[found["session_id"] == session]
        assert of_session["item_id"].tolist() == [ids[n] for n in np.argsort(-scores[session])[:5]]
        np.testing.assert_allclose(of_session["score"], np.sort(scores[session])[::-1][:5], rtol=1e-5)


def test_unknown_clicks_are_left_out_and_counted(parallel_run: prnn_cli.Run, ids: list[str]) -> None:
    found = parallel_run.recommend([["nothing", ids[0]], ["nowhere"], []], k=2)
    assert found["item_id"][:2].tolist() == parallel_run.recommend([[ids[0]]], k=2)["item_id"].tolist()
    assert found["session_id"].tolist() == [0, 0, 1, 2]
    assert found["item_id"].isna().tolist() == [False, False, True, True]
    assert found.attrs["num_unknown"] == 2
    assert np.isnan(parallel_run.scores([["nowhere"]])).all()


def test_items_can_be_allowed_and_denied_for_all_or_for_one(
    parallel_run: prnn_cli.Run, ids: list[str]
) -> None:
    sessions = {"x": [ids[0]], "y": [ids[1]]}

    def told(**rules: Any) -> dict[str, set[str]]:
        frame = parallel_run.recommend(sessions, k=len(ids), **rules)
        return {key: set(frame.loc[frame["session_id"] == key, "item_id"].dropna()) for key in sessions}

    stock = [*ids[:5], "unheard of"]
    assert told(allow=stock) == {"x": {*ids[1:5]}, "y": {ids[0], *ids[2:5]}}
    assert told(allow=stock, deny=ids[:4], exclude_clicked=False) == {"x": {ids[4]}, "y": {ids[4]}}
    assert told(deny={"x": ids[5:]}) == {"x": {*ids[1:5]}, "y": {ids[0], *ids[2:]}}
    assert told(allow={"y": ids[:2], "z": ids}) == {"x": {*ids[1:]}, "y": {ids[0]}}
    assert told(allow=ids[:2], deny={"x": [ids[1]]}) == {"x": set(), "y": {ids[0]}}


def test_lists_are_told_by_the_ids_of_the_log(
    parallel_run: prnn_cli.Run, ids: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Keys and ids are text, space around them is no part of them, and what is not known is told."""
    denied = parallel_run.recommend([[ids[0]]], k=3)["item_id"].tolist()
    for deny in ({0: denied}, {"0": denied}, [f" {item} " for item in denied], iter(denied)):
        left = parallel_run.recommend([[ids[0]]], k=3, deny=deny)["item_id"].tolist()
        assert not set(left) & set(denied)
    parallel_run.recommend([[ids[0]]], k=3, deny=[*denied, "nothing"])
    assert "1 of the 4 items in deny are not known to the model" in caplog.text


def test_vectors_may_be_changed_by_who_has_them(parallel_run: prnn_cli.Run, ids: list[str]) -> None:
    before = parallel_run.recommend([[ids[0]]], k=5)
    vectors = parallel_run.item_vectors
    vectors *= 0
    assert parallel_run.recommend([[ids[0]]], k=5).equals(before)


def test_a_device_that_is_not_there_is_explained(parallel_run: prnn_cli.Run) -> None:
    for device in ("banana", *(["cuda"] if not torch.cuda.is_available() else [])):
        with pytest.raises(prnn_cli.UserError, match=f"device={device} cannot be had here"):
            prnn_cli.load_run(parallel_run.folder, device=device)


def test_shares_add_up_to_what_the_score_is_made_of(parallel_run: prnn_cli.Run, ids: list[str]) -> None:
    found = parallel_run.recommend([[ids[0]], [ids[4], ids[2]]], k=4, explain=True)
    total = found["share_id"] + found["share_text"]
    np.testing.assert_allclose(np.tanh(total), found["score"], rtol=1e-4)


def test_subnets_that_share_a_table_have_no_shares(tmp_path: Path) -> None:
    run = train_in(tmp_path / "shared", "arch=shared_w")
    with pytest.raises(prnn_cli.UserError, match=r"explain=true needs an output table for each subnet"):
        run.recommend([[run.items["item_id"][0]]], explain=True)


@pytest.mark.parametrize(
    ("sessions", "rules", "message"),
    [
        ([["a"]], {"k": 0}, r"k=0: the model knows \d+ items"),
        ([["a"]], {"k": 10_000}, r"k=10000: the model knows \d+ items"),
        ("abc", {}, r"sessions are str; give \[\['a', 'b'\]"),
        (["abc"], {}, r"session 0 is 'abc', not a list of item ids"),
        ([5], {}, r"session 0 is 5, not a list"),
        (pd.DataFrame({"session": [1]}), {}, r"item_id, session_id is not among session; rename"),
        (pd.DataFrame({"session_id": [1], "item_id": [None]}), {}, r"item_id is empty in some rows"),
        ([["a"]], {"allow": ["nothing"]}, r"knows none of the items in allow; it knows such as item-"),
        ([["a"]], {"deny": "item-001"}, r"deny is 'item-001', no list of item ids"),
        ([["a"]], {"deny": 5}, r"deny is 5, no list of item ids"),
        ([["a"]], {"deny": pd.DataFrame({"item_id": ["a"]})}, r"deny is a DataFrame, no list"),
        ([["a"]], {"k": 2.0}, r"k=2.0: the model knows"),
        ([{"a", "b"}], {}, r"not a list of item ids"),
        ([("s", ["a", "b"])], {}, r"session 0 holds \['a', 'b'\], which is no item id"),
        (pd.DataFrame({"session_id": [1], "item_id": ["a"], "time": ["9"]}), {}, r"time is text"),
        (
            pd.DataFrame({"session_id": [1], "item_id": ["a"], "time": [None]}).astype({"time": float}),
            {},
            r"time is empty",
        ),
    ],
)
def test_mistakes_are_explained(
    parallel_run: prnn_cli.Run, sessions: Any, rules: dict[str, Any], message: str
) -> None:
    with pytest.raises(prnn_cli.UserError, match=message):
        parallel_run.recommend(sessions, **rules)
