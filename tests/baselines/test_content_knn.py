"""Content-kNN and the hybrid against cosines written with loops; half of those of the dense table are negative."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from prnn_cli.baselines.content_knn import ContentKnn
from prnn_cli.baselines.hybrid import HybridOptions, fit
from prnn_cli.baselines.item_knn import ItemKnn, ItemKnnOptions
from prnn_cli.features.table import FeatureTable
from prnn_cli.scoring import Scorer
from small import prepared, random_sessions

NUM_ITEMS = 8


def hybrid_options(weight: float) -> HybridOptions:
    options = HybridOptions(num_neighbours=5, regularisation=20, alpha=0.5)
    options.session, options.without_features, options.weight = "last", "refuse", weight
    return options


def tables(seed: int = 0) -> dict[str, FeatureTable]:
    """A dense and a sparse table; of the last item nothing is known."""
    rng = np.random.default_rng(seed)
    dense = rng.standard_normal((NUM_ITEMS, 5)).astype(np.float16)
    terms = (rng.random((NUM_ITEMS, 6)) < 0.4) * rng.random((NUM_ITEMS, 6)).astype(np.float32)
    covered = np.arange(NUM_ITEMS) < NUM_ITEMS - 1
    dense[-1], terms[-1] = 0, 0
    return {
        "image": FeatureTable("image", dense, covered),
        "text": FeatureTable("text", csr_array(terms), covered),
    }


def dense_of(table: FeatureTable) -> Any:
    vectors = table.vectors
    return (vectors.toarray() if isinstance(vectors, csr_array) else vectors).astype(np.float64)


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    return float(one @ other / lengths) if lengths else 0.0


def slow_scores(features: dict[str, FeatureTable], session: list[int], how: str) -> list[float]:
    scores = np.zeros(NUM_ITEMS)
    for table in features.values():
        vectors = dense_of(table)
        units = [vectors[item] / (np.linalg.norm(vectors[item]) or 1) for item in session]
        asked = units[-1] if how == "last" else np.mean(units, axis=0)
        scores += [max(cosine(asked, vectors[item]), 0) / len(features) for item in range(NUM_ITEMS)]
    scores[session[-1]] = 0
    return scores.tolist()


def scores(scorer: Scorer, session: list[int]) -> list[float]:
    scorer.reset(1)
    for step, item in enumerate(session):
        scorer.advance(torch.tensor([item]), torch.tensor([step == 0]))
    found: list[float] = scorer.scores(slice(0, NUM_ITEMS))[0].tolist()
    return found


@pytest.mark.parametrize("how", ["last", "mean"])
@pytest.mark.parametrize("sources", [["image"], ["text"], ["image", "text"]])
@pytest.mark.parametrize("session", [[2], [3, 1, 2, 1], [0, 7], [7]])
def test_scores_are_cosines(sources: list[str], how: str, session: list[int]) -> None:
    features = {source: tables()[source] for source in sources}
    expected = slow_scores(features, session, how)
    assert scores(ContentKnn(features, how), session) == pytest.approx(expected, abs=1e-6)


def test_what_nothing_is_known_of_is_near_to_nothing() -> None:
    assert scores(ContentKnn(tables(), "last"), [7]) == [0] * NUM_ITEMS


@pytest.mark.parametrize("weight", [0, 0.3, 1])
def test_the_hybrid_is_a_weighted_sum_of_both_divided_by_their_highest(weight: float) -> None:
    data, features = prepared(random_sessions(0)), tables()
    options = hybrid_options(weight)
    session = [1, 4]
    content = np.array(slow_scores(features, session, "last"))
    clicked = np.array(scores(ItemKnn.fit(data.train, ItemKnnOptions(5, 20, 0.5)), session))
    expected = weight * content / content.max() + (1 - weight) * clicked / clicked.max()
    assert scores(fit(data, options, features), session) == pytest.approx(expected.tolist(), abs=1e-6)


def test_the_hybrid_of_what_has_no_features_is_item_knn() -> None:
    data = prepared(random_sessions(0))
    options = hybrid_options(0.5)
    clicked = np.array(scores(ItemKnn.fit(data.train, ItemKnnOptions(5, 20, 0.5)), [7]))
    expected = 0.5 * clicked / clicked.max()
    assert scores(fit(data, options, tables()), [7]) == pytest.approx(expected.tolist())
