import pytest
import torch

from prnn_cli.networks.scorer import NetworkScorer
from prnn_cli.training.step import forward, gather
from prnn_cli.training.strategies import Update
from small import CPU, batches_of, parameters_of, sessions_of, with_tied_rows
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


@pytest.mark.parametrize("arch", ["id_only", "concatenated", "shared_w", "interaction"])
def test_tied_tables_are_read_in_ranking_as_in_training(arch: str) -> None:
    network = network_of(arch, "none" if arch == "id_only" else "text", tied=True)
    parameters = parameters_of(network, dtype=torch.float64)
    names = tuple(subnet.name for subnet in network.subnets)
    update = Update(scores=names, learns=names)
    batch = with_tied_rows(batches_of(network, sessions_of([0, 1], [5, 3]), 2, torch.tensor([4]))[0])
    carry = {name: value.double() for name, value in network.initial_carry(2, CPU).items()}
    trained, _ = forward(network, gather(network, parameters, batch, update), carry, batch, update)
    scorer = NetworkScorer(network, parameters)
    scorer.reset(2)
    scorer.carry = carry
    scorer.advance(batch.clicks.items, batch.new_session)
    torch.testing.assert_close(scorer.scores(batch.outputs.index), trained)
