"""Ranking a network by tiles of logits against ranking it by all of its scores."""

import numpy as np
import pytest
import torch

from prnn_cli.errors import RunError
from prnn_cli.evaluation import replay as replay_module
from prnn_cli.evaluation import tiles
from prnn_cli.evaluation.candidates import Candidates
from prnn_cli.evaluation.replay import replay
from prnn_cli.networks.network import ACTIVATIONS
from prnn_cli.networks.scorer import NetworkScorer
from small import CPU, id_network, parameters_of, random_sessions
from training.test_executors import in_single_precision
from training.test_step import network_of

SESSIONS = random_sessions(seed=4)
SUPPORT = np.array([9, 1, 8, 2, 7, 3, 6, 4])


class ByScores:
    """The same network without its logits, so that it is ranked like a baseline."""

    name = "network"

    def __init__(self, scorer: NetworkScorer) -> None:
        self.reset, self.advance, self.scores = scorer.reset, scorer.advance, scorer.scores


@pytest.mark.parametrize("scale", [1.0, 60.0])
@pytest.mark.parametrize("candidates", ["all", 5])
@pytest.mark.parametrize("activation", list(ACTIVATIONS))
@pytest.mark.parametrize("arch", ["id_only", "parallel", "shared_w", "interaction"])
def test_tiles_give_the_ranks_and_ties_of_the_scores(
    arch: str, activation: str, candidates: str | int, scale: float
) -> None:
    """Sixty times its parameters, most of the network's scores saturate, so that ties are many."""
    features = "none" if arch == "id_only" else "text"
    network = in_single_precision(network_of(arch, features, activation), CPU)
    parameters = {name: value * scale for name, value in parameters_of(network).items()}
    scorer = NetworkScorer(network, parameters)
    chosen = Candidates.choose(candidates, SUPPORT)
    by_tiles = replay(scorer, SESSIONS, chosen, num_slots=5)
    by_scores = replay(ByScores(scorer), SESSIONS, chosen, num_slots=5)
    np.testing.assert_array_equal(by_tiles.better, by_scores.better)
    np.testing.assert_array_equal(by_tiles.equal, by_scores.equal)
    assert (by_tiles.equal.sum() > 0) == (scale > 1 and activation != "linear")


@pytest.mark.parametrize("tile", [1, 3, 8, 1000])
@pytest.mark.parametrize("rows", [1, 4, 1000])
@pytest.mark.parametrize("candidates", ["all", 5])
def test_the_size_of_a_tile_does_not_matter(
    candidates: str | int, rows: int, tile: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = NetworkScorer(id_network(), parameters_of(id_network()))
    chosen = Candidates.choose(candidates, SUPPORT)
    by_scores = replay(ByScores(scorer), SESSIONS, chosen, num_slots=5)
    monkeypatch.setattr(tiles, "ROWS", rows)
    monkeypatch.setattr(tiles, "TILE", rows * tile)
    by_tiles = replay(scorer, SESSIONS, chosen, num_slots=5)
    np.testing.assert_array_equal(by_tiles.better, by_scores.better)
    np.testing.assert_array_equal(by_tiles.equal, by_scores.equal)


def test_few_slots_need_as_few_products_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three slots walk, and yet sixteen events are counted at once, but for the last ones."""
    monkeypatch.setattr(tiles, "ROWS", 16)
    sizes, count = [], tiles.TileCounter.__call__

    def noted(self: tiles.TileCounter, states: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        sizes.append(len(states))
        return count(self, states, targets)

    monkeypatch.setattr(tiles.TileCounter, "__call__", noted)
    scorer = NetworkScorer(id_network(), parameters_of(id_network()))
    ranks = replay(scorer, SESSIONS, Candidates.choose("all", SUPPORT), num_slots=3)
    assert sum(sizes) == ranks.num_events
    assert set(sizes[:-1]) == {16}


def test_a_large_catalogue_costs_no_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    """No slot's scores would fit into memory whole, and are there in tiles alone."""
    monkeypatch.setitem(replay_module.MAX_SCORES, "cpu", 7)
    scorer = NetworkScorer(id_network(), parameters_of(id_network()))
    replay(scorer, SESSIONS, Candidates.choose("all", SUPPORT))
    assert len(scorer.carry["id"]) > 1


def test_items_of_equal_scores_tie() -> None:
    """Only their bias counts, so that no product rounds."""
    network = id_network()
    parameters = parameters_of(network)
    parameters["readout.id"][:, :-1] = 0
    parameters["readout.id"][:, -1] = 0.3
    ranks = replay(
        NetworkScorer(network, parameters), SESSIONS, Candidates.choose("all", SUPPORT), num_slots=5
    )
    assert ranks.better.tolist() == [0] * ranks.num_events
    assert ranks.equal.tolist() == [7] * ranks.num_events


@pytest.mark.parametrize("item", range(8))
def test_a_nan_anywhere_is_refused(item: int) -> None:
    network = id_network()
    parameters = parameters_of(network)
    parameters["readout.id"][item] = torch.nan
    with pytest.raises(RunError, match="network scores NaN"):
        replay(NetworkScorer(network, parameters), SESSIONS, Candidates.choose("all", SUPPORT), num_slots=5)
