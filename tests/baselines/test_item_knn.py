from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from prnn_cli.baselines import pairs_of_items
from prnn_cli.baselines.item_knn import ItemKnn, ItemKnnOptions
from prnn_cli.data.prepare import prepare
from prnn_cli.data.sessions import Sessions
from prnn_cli.evaluation.candidates import Candidates
from prnn_cli.evaluation.methods import measure
from prnn_cli.evaluation.replay import replay
from prnn_cli.schema import DatasetConfig

LogOf = Callable[[list[list[int]], int], Sessions]
PAPER = ItemKnnOptions(num_neighbours=100, regularisation=20, alpha=0.5)
CONFIGS = Path(__file__).parents[2] / "configs" / "dataset"


def lists(log: Sessions) -> list[list[int]]:
    return [part.tolist() for part in np.split(log.items, log.offsets[1:-1])]


def neighbours(scorer: ItemKnn, item: int, n: int) -> list[tuple[int, float]]:
    """The n most similar items, best first: (item_index, similarity); fewer if fewer share a session."""
    row = scorer.matrix[[item]]
    best = np.lexsort((row.indices, -row.data))[:n]
    return list(zip(row.indices[best].tolist(), row.data[best].tolist(), strict=True))


def slow_neighbours(sessions: list[list[int]], config: ItemKnnOptions) -> dict[int, list[tuple[int, float]]]:
    support: Counter[int] = Counter()
    shared: dict[int, Counter[int]] = defaultdict(Counter)
    for session in map(set, sessions):
        support.update(session)
        for item in session:
            shared[item].update(session - {item})
    damping, alpha = config.regularisation, config.alpha
    best_of = {}
    for item, counts in shared.items():
        similar = {
            other: np.float32(
                count / ((support[item] + damping) ** alpha * (support[other] + damping) ** (1 - alpha))
            )
            for other, count in counts.items()
        }
        best = sorted(similar.items(), key=lambda pair: (-pair[1], pair[0]))
        best_of[item] = [(other, float(score)) for other, score in best[: config.num_neighbours]]
    return best_of


def test_the_similarity_by_hand(log_of: LogOf) -> None:
    scorer = ItemKnn.fit(log_of([[0, 1], [0, 1, 2], [0, 3]], 5), PAPER)
    assert neighbours(scorer, 0, 10) == [
        (1, pytest.approx(2 / (23 * 22) ** 0.5)),
        (2, pytest.approx(1 / (23 * 21) ** 0.5)),
        (3, pytest.approx(1 / (23 * 21) ** 0.5)),
    ]


def test_alpha_weighs_the_last_click_and_the_scored_item(log_of: LogOf) -> None:
    config = ItemKnnOptions(num_neighbours=100, regularisation=0, alpha=1.0)
    scorer = ItemKnn.fit(log_of([[0, 1], [0, 2], [0, 1]], 3), config)
    assert neighbours(scorer, 0, 1) == [(1, pytest.approx(2 / 3))]
    assert neighbours(scorer, 1, 1) == [(0, pytest.approx(1))]


def test_repeated_clicks_of_a_session_count_once(log_of: LogOf) -> None:
    once = ItemKnn.fit(log_of([[0, 1], [1, 2]], 3), PAPER)
    often = ItemKnn.fit(log_of([[0, 1, 0, 0, 1], [1, 1, 2, 2]], 3), PAPER)
    assert [neighbours(often, item, 3) for item in range(3)] == [
        neighbours(once, item, 3) for item in range(3)
    ]


def test_an_item_is_no_neighbour_of_itself_even_if_clicked_twice(log_of: LogOf) -> None:
    scorer = ItemKnn.fit(log_of([[0, 0, 1], [2, 2]], 3), PAPER)
    assert [other for other, _ in neighbours(scorer, 0, 3)] == [1]
    assert neighbours(scorer, 2, 3) == []


def test_of_equally_similar_items_at_the_cut_the_lower_index_stays(log_of: LogOf) -> None:
    config = ItemKnnOptions(num_neighbours=2, regularisation=20, alpha=0.5)
    scorer = ItemKnn.fit(log_of([[4, 3, 0, 2, 1], [0, 4]], 5), config)
    assert [other for other, _ in neighbours(scorer, 0, 5)] == [4, 1]


def test_the_n_best_neighbours_come_best_first(log_of: LogOf) -> None:
    scorer = ItemKnn.fit(log_of([[0, 1], [0, 2], [0, 2], [0, 3], [0, 3], [0, 3]], 4), PAPER)
    assert [other for other, _ in neighbours(scorer, 0, 2)] == [3, 2]


@pytest.mark.parametrize("pairs_a_block", [1, 200, 2**22])
@pytest.mark.parametrize(("num_neighbours", "alpha"), [(5, 0.5), (3, 0.25), (100, 0.75)])
def test_it_agrees_with_dicts_and_loops_in_blocks_of_any_size(
    log_of: LogOf, pairs_a_block: int, num_neighbours: int, alpha: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairs_of_items, "PAIRS_A_BLOCK", pairs_a_block)
    config = ItemKnnOptions(num_neighbours=num_neighbours, regularisation=20, alpha=alpha)
    generator = np.random.default_rng(3)
    sessions = [
        (generator.beta(1, 3, size=n) * 40).astype(int).tolist() for n in generator.integers(1, 12, 150)
    ]
    scorer = ItemKnn.fit(log_of(sessions, 42), config)
    expected = slow_neighbours(sessions, config)
    for item in range(42):
        assert neighbours(scorer, item, 100) == expected.get(item, [])


def test_fitting_leaves_the_sessions_as_they_were(log_of: LogOf) -> None:
    log = log_of([[2, 1, 2, 0], [1, 0]], 3)
    ItemKnn.fit(log, PAPER)
    assert log.items.tolist() == [2, 1, 2, 0, 1, 0]
    assert log.offsets.tolist() == [0, 4, 6]


@pytest.mark.nightly
def test_on_real_orders_the_metrics_agree_with_dicts_and_loops(online_retail: Path, tmp_path: Path) -> None:
    generic, special = (OmegaConf.load(CONFIGS / f"{name}.yaml") for name in ("generic", "online_retail"))
    special.pop("defaults")
    dataset = OmegaConf.to_object(
        OmegaConf.merge(
            OmegaConf.structured(DatasetConfig),
            generic,
            special,
            {"path": str(online_retail), "test_days": 7},
        )
    )
    assert isinstance(dataset, DatasetConfig)
    data = prepare(dataset, tmp_path)
    neighbours = slow_neighbours(lists(data.train), PAPER)
    ranks = []
    for session in lists(data.test):
        for last, target in pairwise(session):
            scores = dict(neighbours.get(last, []))
            # A target that is no neighbour ties with all that are none, and the neighbours score higher.
            not_worse = (
                sum(score >= scores[target] for score in scores.values()) if target in scores else None
            )
            ranks.append(not_worse or data.test.num_items)
    found = replay(ItemKnn.fit(data.train, PAPER), data.test, Candidates.choose("all", data.support))
    figures = measure(found, ["recall@20", "mrr@20"], "conservative")
    assert figures["num_events"] == len(ranks)
    assert figures["recall@20"] == pytest.approx(sum(rank <= 20 for rank in ranks) / len(ranks))
    assert figures["mrr@20"] == pytest.approx(sum(1 / rank for rank in ranks if rank <= 20) / len(ranks))
