"""A folded network against the one that it was made from."""

import pytest
import torch

from prnn_cli.networks import standing
from prnn_cli.networks.folded import FoldedScorer, fold
from prnn_cli.networks.scorer import NetworkScorer
from prnn_cli.scoring import check_scorer
from small import CPU, parameters_of
from training.test_executors import in_single_precision
from training.test_step import network_of

ALL = slice(None)
CASES = [
    ("id_only", "none"),
    ("feature_only", "text"),
    ("concatenated", "image_and_text"),
    ("parallel", "image_and_text"),
    ("shared_w", "text"),
    ("interaction", "image_and_text"),
]


def pair(
    arch: str, features: str, activation: str = "tanh", tied: bool = False
) -> tuple[NetworkScorer, FoldedScorer]:
    network = in_single_precision(network_of(arch, features, activation, tied=tied), CPU)
    parameters = parameters_of(network)
    return NetworkScorer(network, parameters), FoldedScorer(fold(network, parameters))


def assert_same_scores(network: NetworkScorer, folded: FoldedScorer) -> None:
    new_session = torch.tensor([[True, True, True], [False, True, False], [False, False, False]])
    network.reset(3)
    folded.reset(3)
    for items, new in zip(torch.tensor([[3, 0, 5], [1, 7, 2], [3, 3, 6]]), new_session, strict=True):
        network.advance(items, new)
        folded.advance(items, new)
        torch.testing.assert_close(folded.scores(ALL), network.scores(ALL))
        torch.testing.assert_close(folded.state_vectors(), network.state_vectors())


@pytest.mark.parametrize(("arch", "features"), CASES)
def test_scores_are_those_of_the_network(arch: str, features: str) -> None:
    assert_same_scores(*pair(arch, features))


@pytest.mark.parametrize("activation", ["linear", "elu"])
def test_every_final_activation(activation: str) -> None:
    network, folded = pair("parallel", "text", activation)
    assert (folded.activation is None) == (activation == "linear")
    assert_same_scores(network, folded)


@pytest.mark.parametrize(("arch", "features"), [("id_only", "none"), ("interaction", "text")])
def test_tied_tables(arch: str, features: str) -> None:
    assert_same_scores(*pair(arch, features, tied=True))


def test_items_are_folded_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "BLOCK", 3)
    assert_same_scores(*pair("parallel", "image_and_text"))


def test_it_is_a_scorer() -> None:
    _, folded = pair("interaction", "image_and_text")
    check_scorer(folded, 8)


def test_shares_of_the_subnets_add_up_to_the_logits() -> None:
    """The share of `text` in an interaction network is w (W_text (h_id ∘ h_text) + b_text)."""
    network, folded = pair("interaction", "text")
    network.reset(1)
    folded.reset(1)
    for scorer in (network, folded):
        scorer.advance(torch.tensor([2]), torch.tensor([True]))
    parts = {
        name: folded.state_vectors()[:, columns] @ folded.item_vectors(ALL)[:, columns].T
        for name, columns in folded.folded.shares()
    }
    assert list(parts) == ["id", "text"]
    torch.testing.assert_close(torch.tanh(sum(parts.values())), network.scores(ALL))
    product = network.carry["id"] * network.carry["text"]
    table = network.parameters["readout.text"]
    weight = network.network.subnets[1].weight
    torch.testing.assert_close(parts["text"], weight * (product @ table[:, :-1].T + table[:, -1]))
