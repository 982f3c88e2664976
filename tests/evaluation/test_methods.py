import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from prnn_cli.baselines.item_knn import ItemKnn
from prnn_cli.baselines.popularity import Popularity
from prnn_cli.data.prepare import PreparedData
from prnn_cli.evaluation.methods import compare
from prnn_cli.schema import EvaluationConfig, ItemKnnConfig
from small import CPU, random_sessions

CONFIG = EvaluationConfig(
    part="test",
    cutoffs=[20],
    candidates="all",
    tie_break="conservative",
    item_knn=ItemKnnConfig(num_neighbours=3, regularisation=20, alpha=0.5),
)
TRAIN, TEST = random_sessions(0), random_sessions(1, num_sessions=10)
DATA = PreparedData(
    folder=Path(),
    data_hash="hash",
    summary={},
    train=TRAIN,
    validation=None,
    test=TEST,
    item_ids=np.arange(8).astype(str).astype(object),
    support=np.bincount(TRAIN.items, minlength=8),
    reused=False,
)


class Zeros(Popularity):
    """Stands for a network."""

    name = "network"

    def __init__(self) -> None:
        super().__init__(np.zeros(8))

    def scores(self, items: slice | torch.Tensor) -> torch.Tensor:
        return super().scores(items) * 0


def test_a_second_run_ranks_its_network_and_reads_the_same_ranks_of_the_baselines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = compare(Zeros(), DATA, CONFIG, CPU, tmp_path)
    monkeypatch.delattr(ItemKnn, "fit")  # whoever fits it again fails
    second = compare(Zeros(), DATA, CONFIG, CPU, tmp_path)
    assert list(first) == list(second) == ["network", "item_knn", "markov", "popularity"]
    for name, ranks in first.items():
        for field, values in vars(ranks).items():
            np.testing.assert_array_equal(getattr(second[name], field), values)


def test_other_settings_of_item_knn_are_ranked_anew(tmp_path: Path) -> None:
    first = compare(Zeros(), DATA, CONFIG, CPU, tmp_path)
    fewer = dataclasses.replace(CONFIG, item_knn=dataclasses.replace(CONFIG.item_knn, num_neighbours=1))
    second = compare(Zeros(), DATA, fewer, CPU, tmp_path)
    assert (first["item_knn"].better != second["item_knn"].better).any()
    assert len(list((tmp_path / "ranks").iterdir())) == 4
