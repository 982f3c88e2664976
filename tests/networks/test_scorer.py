import pytest
import torch

from prnn_cli.networks.scorer import NetworkScorer
from small import CPU, parameters_of
from training.test_executors import in_single_precision
from training.test_step import network_of

ALL = slice(None)
ITEMS = torch.tensor([3, 0, 5])


def clicked(scorer: NetworkScorer) -> NetworkScorer:
    """Three slots after a click of each."""
    scorer.reset(3)
    scorer.advance(ITEMS, torch.tensor([True] * 3))
    return scorer


@pytest.mark.parametrize("subnets", [None, ["id"]])
@pytest.mark.parametrize("arch", ["parallel", "shared_w", "interaction"])
def test_item_and_state_vectors_give_the_logits_of_the_scores(arch: str, subnets: list[str] | None) -> None:
    network = in_single_precision(network_of(arch, "image_and_text"), CPU)
    scorer = clicked(NetworkScorer(network, parameters_of(network), subnets))
    assert scorer.activation is torch.tanh
    logits = scorer.state_vectors() @ scorer.item_vectors(ALL).T
    torch.testing.assert_close(torch.tanh(logits), scorer.scores(ALL))


def test_linear_scores_are_the_logits_themselves() -> None:
    assert NetworkScorer(network_of("id_only", "none", "linear"), {}).activation is None


def test_a_subnet_that_does_not_score_leaves_no_trace() -> None:
    """The ID's part of a parallel network scores as the network of the ID alone."""
    both, alone = (
        in_single_precision(network_of(*arch), CPU) for arch in (("parallel", "text"), ("id_only", "none"))
    )
    parameters = parameters_of(both)
    part = clicked(NetworkScorer(both, parameters, ["id"]))
    whole = clicked(NetworkScorer(alone, {name: parameters[name] for name in alone.initial_parameters(0)}))
    assert torch.equal(part.scores(ALL), whole.scores(ALL))
