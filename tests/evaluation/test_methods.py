import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from prnn_cli.baselines.baseline import NoOptions
from prnn_cli.baselines.item_knn import ItemKnn, ItemKnnOptions
from prnn_cli.baselines.popularity import Popularity
from prnn_cli.errors import UserError
from prnn_cli.evaluation.methods import ChosenBaseline, compare, labels_of, measure
from prnn_cli.evaluation.ranking import Ranks
from prnn_cli.extensions import registered
from prnn_cli.schema import EvaluationConfig
from small import CPU, prepared, random_sessions

CONFIG = EvaluationConfig(
    part="test", metrics=["recall", "mrr"], cutoffs=[20], candidates="all", tie_break="conservative"
)
KNN = ItemKnnOptions(num_neighbours=3, regularisation=20, alpha=0.5)


def chosen(**options: Any) -> list[ChosenBaseline]:
    return [ChosenBaseline(name, registered("BASELINES")[name], given) for name, given in options.items()]


BASELINES = chosen(item_knn=KNN, markov=NoOptions(), popularity=NoOptions())
TRAIN, TEST = random_sessions(0), random_sessions(1, num_sessions=10)
DATA = dataclasses.replace(prepared(TRAIN), test=TEST)


class Zeros(Popularity):
    """Stands for a network."""

    def __init__(self) -> None:
        super().__init__(np.zeros(8), "network")

    def scores(self, items: slice | torch.Tensor) -> torch.Tensor:
        return super().scores(items) * 0


def test_the_baselines_are_those_that_are_asked_for_in_their_order(tmp_path: Path) -> None:
    assert list(compare(Zeros(), DATA, CONFIG, chosen(markov=NoOptions()), CPU, tmp_path)) == [
        "network",
        "markov",
    ]
    assert list(compare(Zeros(), DATA, CONFIG, [], CPU, tmp_path)) == ["network"]


def test_a_second_run_ranks_its_network_and_reads_the_same_ranks_of_the_baselines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = compare(Zeros(), DATA, CONFIG, BASELINES, CPU, tmp_path)
    monkeypatch.delattr(ItemKnn, "fit")  # whoever fits it again fails
    second = compare(Zeros(), DATA, CONFIG, BASELINES, CPU, tmp_path)
    assert list(first) == list(second) == ["network", "item_knn", "markov", "popularity"]
    for name, ranks in first.items():
        for field, values in vars(ranks).items():
            np.testing.assert_array_equal(getattr(second[name], field), values)


def test_other_settings_of_item_knn_are_ranked_anew(tmp_path: Path) -> None:
    first = compare(Zeros(), DATA, CONFIG, BASELINES, CPU, tmp_path)
    fewer = [*chosen(item_knn=dataclasses.replace(KNN, num_neighbours=1)), *BASELINES[1:]]
    second = compare(Zeros(), DATA, CONFIG, fewer, CPU, tmp_path)
    assert (first["item_knn"].better != second["item_knn"].better).any()
    assert len(list((tmp_path / "ranks").iterdir())) == 4


METRICS = ["recall@1", "mrr@1", "recall@5", "mrr@5"]


def ranks_of(better: list[int], equal: list[int]) -> Ranks:
    places = np.arange(len(better))
    return Ranks(places, places, places, np.array(better), np.array(equal))


def test_metrics_of_several_cutoffs_and_tie_modes_follow_from_the_same_counts() -> None:
    ranks = ranks_of(better=[0, 0, 4, 9], equal=[0, 1, 0, 0])
    assert measure(ranks, METRICS, "standard") == {
        "recall@1": 0.5,
        "mrr@1": 0.5,
        "recall@5": 0.75,
        "mrr@5": pytest.approx((1 + 1 + 1 / 5) / 4),
        "tie_rate": 0.25,
        "num_events": 4,
    }
    assert measure(ranks, METRICS, "conservative")["recall@1"] == 0.25


def test_metrics_of_no_event_say_what_to_do() -> None:
    with pytest.raises(UserError, match=r"no event to predict.*make that part larger"):
        measure(ranks_of([], []), ["mrr@20"], "standard")


def test_baselines_have_labels_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert labels_of(["item_knn", "markov"]) == {"item_knn": "Item-kNN", "markov": "Markov"}
    twin = dataclasses.replace(registered("BASELINES")["markov"], label="Item-kNN")
    monkeypatch.setitem(registered("BASELINES"), "markov", twin)
    with pytest.raises(
        UserError, match="could not tell the baselines apart by their labels 'Item-kNN', 'Item-kNN'"
    ):
        labels_of(["item_knn", "markov"])
