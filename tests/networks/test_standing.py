"""Subnets that stand still against the same ones fed by their inputs."""

import pytest
import torch

from prnn_cli.networks.inputs import Dense, Embedded, FineTuned, Input
from prnn_cli.networks.network import Network
from prnn_cli.networks.scorer import leaves_of_clicks
from prnn_cli.networks.standing import costs_more_than_a_gather, empty_table, fill, with_standing
from prnn_cli.system.tree import unbind
from small import parameters_of
from training.test_step import IMAGE, INPUTS, network_of

KINDS: dict[str, Input] = {
    "dense": Dense("image", IMAGE),
    "half precision": Dense("image", IMAGE.half()),
    "fine-tuned": FineTuned("image", IMAGE),
    "embedded": Embedded(Dense("image", IMAGE), 3),
}


def states_after_clicks(network: Network, parameters: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """After a click on each item, and on the item after it."""
    states = network.initial_carry(8, "cpu")
    states = {name: state.double() for name, state in states.items()}
    for items in (torch.arange(8), torch.arange(1, 9) % 8):
        clicks = unbind(network.clicks(items[None]))[0]
        leaves = leaves_of_clicks(network, parameters, clicks)
        states = network.advance(leaves, states, clicks, torch.zeros(8, dtype=torch.bool))
    return states


@pytest.mark.parametrize("block", [3, 4096])
@pytest.mark.parametrize("kind", list(KINDS))
def test_a_table_feeds_a_subnet_what_its_inputs_do(
    kind: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image's and the text's subnet stand still; the ID's is as it was."""
    monkeypatch.setattr("prnn_cli.networks.standing.BLOCK", block)
    network = network_of("parallel", "image_and_text", inputs_of=INPUTS | {"image": KINDS[kind]})
    parameters = parameters_of(network, dtype=torch.float64)
    id_net, *others = network.subnets
    tables = {each.name: empty_table(network, each, parameters["readout.id"]) for each in others}
    fill(tables, network, parameters)
    standing = with_standing(network, tables)
    assert [each.inputs == () for each in standing.subnets] == [False, True, True]
    assert standing.subnets[0] is id_net
    found, expected = (states_after_clicks(each, parameters) for each in (standing, network))
    for name, state in expected.items():
        torch.testing.assert_close(found[name], state)


def test_a_table_that_was_not_filled_shows() -> None:
    network = network_of("parallel", "image")
    parameters = parameters_of(network, dtype=torch.float64)
    tables = {"image": empty_table(network, network.subnets[1], parameters["readout.id"])}
    assert states_after_clicks(with_standing(network, tables), parameters)["image"].isnan().all()


@pytest.mark.parametrize(
    ("arch", "tied", "expected"),
    [
        ("parallel", False, {"id": False, "image": True, "text": True}),
        ("parallel", True, {"id": False, "image": True, "text": True}),
        ("concatenated", False, {"concatenated": True}),
        ("concatenated", True, {"concatenated": False}),
    ],
)
def test_an_id_needs_no_table_and_what_is_tied_to_an_output_table_can_have_none(
    arch: str, tied: bool, expected: dict[str, bool]
) -> None:
    network = network_of(arch, "image_and_text", tied=tied)
    assert {each.name: costs_more_than_a_gather(each) for each in network.subnets} == expected
