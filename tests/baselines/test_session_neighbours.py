"""S-kNN, V-SKNN, STAN and VSTAN against dicts and loops written from their formulas, and by hand."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
import slow_neighbours as slow
import torch

from prnn_cli.baselines import s_knn, stan, v_sknn, vstan
from prnn_cli.baselines.session_neighbours import SessionNeighbours
from prnn_cli.data.prepare import PreparedData
from prnn_cli.errors import UserError
from prnn_cli.experiment.settings import composed
from small import prepared, sessions_of

NUM_ITEMS = 25
DAY = 86_400.0
METHODS: dict[str, Any] = {"s_knn": s_knn, "v_sknn": v_sknn, "stan": stan, "vstan": vstan}
SLOW: dict[str, Callable[..., dict[int, float]]] = {
    "s_knn": slow.s_knn,
    "v_sknn": slow.v_sknn,
    "stan": slow.stan,
    "vstan": slow.stan,
}


@cache
def options_of(method: str, **changes: Any) -> Any:
    given = [
        f"baselines.{method}.{key}={'null' if value is None else value}" for key, value in changes.items()
    ]
    return composed("train", [f"baselines=[{method}]", *given]).baselines[method]


def data_of(training: slow.Training) -> PreparedData:
    times = [time * DAY - 60 * back for items, time in training for back in range(len(items))[::-1]]
    return prepared(sessions_of(*(items for items, _ in training), num_items=NUM_ITEMS), times)


def fit(method: str, training: slow.Training, **changes: Any) -> SessionNeighbours:
    scorer: SessionNeighbours = METHODS[method].fit(data_of(training), options_of(method, **changes))
    return scorer


def scores(scorer: SessionNeighbours, session: Sequence[int]) -> np.ndarray:
    scorer.reset(1)
    for number, item in enumerate(session):
        scorer.advance(torch.tensor([item]), torch.tensor([number == 0]))
    return scorer.scores(slice(0, NUM_ITEMS))[0].numpy()


def divided_by_highest(found: dict[int, float]) -> np.ndarray:
    dense = np.zeros(NUM_ITEMS)
    for item, score in found.items():
        dense[item] = score / (max(found.values()) or 1)
    return dense


def random_training(seed: int, num_sessions: int = 120) -> list[tuple[list[int], float]]:
    """Sessions that repeat items, whose times neither rise with their numbers nor differ in all cases."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 9, num_sessions)
    days = rng.integers(0, 40, num_sessions) / 2
    return [
        ((rng.beta(1, 2, n) * NUM_ITEMS).astype(int).tolist(), float(day))
        for n, day in zip(lengths, days, strict=True)
    ]


SMALL: dict[str, Any] = {"k": 7, "sample_size": 20}
CASES: list[tuple[str, dict[str, Any]]] = [
    ("s_knn", {**SMALL, "similarity": "cosine", "remind": True}),
    ("s_knn", {**SMALL, "similarity": "jaccard", "remind": False}),
    ("s_knn", {"k": 100, "sample_size": 1000, "similarity": "cosine", "remind": True}),
    *(
        (
            "v_sknn",
            SMALL
            | {
                "similarity": similarity,
                "weighting": weighting,
                "weighting_score": score,
                "idf_weighting": idf,
                "remind": remind,
            },
        )
        for similarity, weighting, score, idf, remind in (
            ("dot", "div", "div", 0, True),
            ("dot", "same", "linear", 10, True),
            ("cosine", "linear", "log", 2.5, True),
            ("dot", "log", "quadratic", 0, False),
            ("cosine", "quadratic", "same", 1, False),
        )
    ),
    *(
        ("stan", SMALL | {"lambda_spw": spw, "lambda_snh": snh, "lambda_inh": inh, "remind": remind})
        for spw, snh, inh, remind in (
            (1.02, 5, 2.05, True),
            (0.00001, 100, 0.5, True),
            (None, 2.5, None, True),
            (4, None, 1, False),
        )
    ),
    *(
        (
            "vstan",
            SMALL
            | {
                "similarity": similarity,
                "lambda_spw": spw,
                "lambda_snh": snh,
                "lambda_inh": inh,
                "remind": remind,
            }
            | {"lambda_ipw": ipw, "lambda_idf": idf},
        )
        for similarity, spw, snh, inh, remind, ipw, idf in (
            ("cosine", 1.02, 5, 2.05, True, 1.02, 5),
            ("dot", 3.62, 100, 0.4525, True, 3.62, 1),
            ("dot", None, None, 2, False, 0.00001, 0),
        )
    ),
]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("method", "options"), CASES)
def test_random_sessions_are_scored_as_by_dicts_and_loops(
    method: str, options: dict[str, Any], seed: int
) -> None:
    training = random_training(seed)
    scorer = fit(method, training, **options)
    rng = np.random.default_rng(seed + 100)
    for length in (1, 2, 3, 5, 8, 13):
        session = rng.integers(0, NUM_ITEMS, length).tolist()
        expected = divided_by_highest(SLOW[method](training, session, **options))
        np.testing.assert_allclose(scores(scorer, session), expected, rtol=1e-5, atol=1e-30)


# The three sessions below share the items 0, 1; 0; and 1 with a session of 0 and then 1.
BY_HAND = [([0, 1, 5], 1.0), ([0, 6, 7], 2.0), ([1, 8], 3.0)]


def test_s_knn_by_hand() -> None:
    found = scores(fit("s_knn", BY_HAND, k=3), [0, 1])
    sim = [2 / 6**0.5, 1 / 6**0.5, 1 / 2]
    by_item = {0: sim[0] + sim[1], 1: sim[0] + sim[2], 5: sim[0], 6: sim[1], 7: sim[1], 8: sim[2]}
    np.testing.assert_allclose(found, divided_by_highest(by_item), rtol=1e-6)


def test_v_sknn_by_hand() -> None:
    found = scores(fit("v_sknn", BY_HAND, k=3, sample_size=3), [0, 1])
    # Weights 1/2 of the click on 0, 1 of that on 1; the second neighbour reaches back to the click before the last.
    score = [1.5, 0.5 / 2, 1.0]
    by_item = {
        0: score[0] + score[1],
        1: score[0] + score[2],
        5: score[0],
        6: score[1],
        7: score[1],
        8: score[2],
    }
    np.testing.assert_allclose(found, divided_by_highest(by_item), rtol=1e-6)


def test_stan_by_hand() -> None:
    found = scores(fit("stan", BY_HAND, k=3, lambda_spw=1, lambda_snh=1, lambda_inh=1), [0, 1])
    e = np.exp(-1)
    sim = [(1 + e) / 3**0.5 * e**2, e / 3**0.5 * e, 1 / 2**0.5]
    # Distances from the latest shared item: of [0, 1, 5] from 1, of [0, 6, 7] from 0, of [1, 8] from 1.
    by_item = {
        0: sim[0] * e + sim[1],
        1: sim[0] + sim[2],
        5: sim[0] * e,
        6: sim[1] * e,
        7: sim[1] * e**2,
        8: sim[2] * e,
    }
    np.testing.assert_allclose(found, divided_by_highest(by_item), rtol=1e-6)


def test_of_equally_similar_sessions_those_that_ended_later_are_neighbours() -> None:
    training = [([0, 1], 3.0), ([0, 2], 5.0), ([0, 3], 5.0), ([0, 4], 1.0)]
    found = scores(fit("s_knn", training, k=2), [0])
    assert np.flatnonzero(found).tolist() == [0, 2, 3]


def test_neighbours_are_chosen_from_the_sessions_that_ended_last() -> None:
    training = [([0, 1, 2], 1.0), ([0, 3], 2.0), ([1, 4], 3.0)]
    found = scores(fit("s_knn", training, k=1, sample_size=2), [0, 1])
    assert np.flatnonzero(found).tolist() == [1, 4]  # all are as similar, but the most similar one is too old


@pytest.mark.parametrize("method", METHODS)
def test_a_session_that_shares_nothing_has_no_scores(method: str) -> None:
    assert not scores(fit(method, BY_HAND, k=3), [20, 21]).any()


def test_old_sessions_still_tell_items_apart_where_the_decay_is_steep() -> None:
    """exp(−1000 / 1) is 0 to a float64, and exp(−200 / 1) to a float32."""
    training = [([0, 1], 0.0), ([0, 1], 0.0), ([0, 2], 0.0), ([5, 6], 1000.0)]
    found = scores(fit("stan", training, k=3, lambda_snh=1), [0])
    assert found[1] > found[2] > 0
    training = [([0, 1], 800.0), ([0, 2], 1000.0)]
    found = scores(fit("stan", training, k=2, lambda_snh=1), [0])
    assert found[2] > found[1] > 0


def test_similarities_that_are_equal_by_the_formula_are_equal() -> None:
    """3/√18 and 1/√2 differ in the last bit of a float."""
    # Cosines of [0, 1, 2]: 3/√(3·18) and 1/√(3·2). The one that ended later is the neighbour.
    training = [(list(range(18)), 2.0), ([0, 20], 3.0)]
    assert np.flatnonzero(scores(fit("s_knn", training, k=1), [0, 1, 2])).tolist() == [0, 20]


def test_what_the_session_has_clicked_is_left_out_also_where_it_does_not_count() -> None:
    found = scores(fit("s_knn", BY_HAND, k=3, remind=False, last_clicks=1), [0, 1])
    assert np.flatnonzero(found).tolist() == [5, 8]


@pytest.mark.parametrize("sample_size", [1, 2, 3, 5, 8, 13, 50])
def test_a_sample_of_any_size_is_the_sessions_that_ended_last(sample_size: int) -> None:
    """Items whose sessions are many and old, few and new, and the same."""
    rng = np.random.default_rng(0)
    training = [([0, 1, int(rng.integers(5, 25))], float(day)) for day in range(20)]
    training += [([2, int(rng.integers(5, 25))], float(day)) for day in range(30, 60)]
    scorer = fit("s_knn", training, k=1, sample_size=sample_size)
    for session in ([0, 1, 2], [0, 2], [0, 1], [2]):
        found = scores(scorer, session)
        expected = slow.s_knn(training, session, 1, sample_size, "cosine", True)
        np.testing.assert_allclose(found, divided_by_highest(expected), rtol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_a_prediction_leaves_nothing_behind_for_the_next_one(method: str) -> None:
    training = random_training(2)
    scorer = fit(method, training, k=9, sample_size=30)
    first = scores(scorer, [3, 8, 2])
    for room in scorer._workers._rooms:
        assert not any(array.any() for array in room)
    scores(scorer, [1, 5, 5, 7])
    np.testing.assert_array_equal(scores(scorer, [3, 8, 2]), first)


def test_only_the_last_clicks_count_where_they_are_limited() -> None:
    limited, whole = fit("v_sknn", BY_HAND, k=3, last_clicks=1), fit("v_sknn", BY_HAND, k=3)
    np.testing.assert_array_equal(scores(limited, [0, 1]), scores(whole, [1]))


def test_a_random_sample_is_the_same_each_time_and_of_the_size_asked_for() -> None:
    training = random_training(3, 400)
    once, twice = (fit("s_knn", training, k=5, sample_size=5, sampling="random") for _ in range(2))
    recent, every = (
        fit("s_knn", training, k=5, sample_size=5),
        fit("s_knn", training, k=400, sample_size=None),
    )
    np.testing.assert_array_equal(scores(once, [3]), scores(twice, [3]))
    assert np.flatnonzero(scores(once, [3])).tolist() != np.flatnonzero(scores(recent, [3])).tolist()
    assert np.isin(np.flatnonzero(scores(once, [3])), np.flatnonzero(scores(every, [3]))).all()


@pytest.mark.parametrize("method", METHODS)
def test_scores_do_not_depend_on_the_number_of_threads(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    training = random_training(5)
    items = torch.tensor([[3, 8, 2, 11, 4], [1, 8, 5, 0, 4]])
    found = []
    for number in (1, 2, 7):
        monkeypatch.setattr(torch, "get_num_threads", lambda number=number: number)
        scorer = fit(method, training, k=9)
        scorer.reset(5)
        for step, clicks in enumerate(items):
            scorer.advance(clicks, torch.full((5,), step == 0))
        found.append(scorer.sparse_scores().toarray())
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_long_sessions_find_room() -> None:
    scorer = fit("v_sknn", random_training(0), k=7)
    session = [number % NUM_ITEMS for number in range(100)]
    expected = slow.v_sknn(random_training(0), session, 7, 2500, "dot", "div", "div", 0, True)
    np.testing.assert_allclose(scores(scorer, session), divided_by_highest(expected), rtol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_more_neighbours_than_sessions_are_all_that_share_an_item_and_a_warning(
    method: str, caplog: pytest.LogCaptureFixture
) -> None:
    options = options_of(method, k=4, sample_size=10)
    METHODS[method].check(data_of(BY_HAND), options)
    assert f"baselines.{method}.k=4 neighbours are more than the 3 sessions" in caplog.text
    assert scores(fit(method, BY_HAND, k=4), [0, 1])[[5, 6, 8]].all()


@pytest.mark.parametrize("method", METHODS)
def test_more_neighbours_than_the_sample_has_are_refused(method: str) -> None:
    with pytest.raises(UserError, match=r"k=100 neighbours cannot be chosen from .*sample_size=50 sessions"):
        options_of(method, k=100, sample_size=50)


@pytest.mark.parametrize("method", METHODS)
def test_a_log_without_times_has_no_last_sessions(method: str) -> None:
    data = prepared(sessions_of([0, 1], [1, 2], num_items=NUM_ITEMS), [5.0] * 4)
    with pytest.raises(UserError, match=r"sampling=recent.* same one; set baselines\..*\.sampling=random"):
        METHODS[method].check(data, options_of(method, k=1))


def test_a_random_sample_without_decay_needs_no_times() -> None:
    data = prepared(sessions_of([0, 1], [1, 2], num_items=NUM_ITEMS), [5.0] * 4)
    stan.check(data, options_of("stan", k=1, sampling="random", lambda_snh=None))
    with pytest.raises(UserError, match="lambda_snh=5 goes by the times"):
        stan.check(data, options_of("stan", k=1, sampling="random"))
