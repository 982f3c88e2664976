"""A network of two subnets: the ID of 8 items, and their images as vectors that learn."""

import pytest
import torch

from prnn_cli.networks.inputs import FineTuned, OneHot
from prnn_cli.networks.network import ACTIVATIONS, Network
from prnn_cli.networks.readouts import Separate, Shared
from prnn_cli.networks.subnet import Subnet
from small import CPU, id_network

SUBNETS = (
    Subnet("id", (OneHot(8),), 2, weight=1.0),
    Subnet("image", (FineTuned("image", torch.ones(8, 3)),), 2, weight=1.0),
)
SEPARATE = Network(SUBNETS, Separate(SUBNETS), "tanh", num_items=8)
SHARED = Network(SUBNETS, Shared(SUBNETS), "tanh", num_items=8)
VECTORS = "subnets.image.input.image.vectors"


@pytest.mark.parametrize(("name", "alpha"), [("elu", 0.5), ("elu_1", 1.0)])
def test_elu_by_hand(name: str, alpha: float) -> None:
    logits = torch.tensor([-torch.inf, -1.0, 0.0, 2.0])
    expected = torch.tensor([-alpha, alpha * (1 / torch.e - 1), 0.0, 2.0])
    torch.testing.assert_close(ACTIVATIONS[name](logits), expected)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_no_activation_ever_decreases(activation: str) -> None:
    logits = torch.linspace(-20, 20, 10_001)
    assert (ACTIVATIONS[activation](logits).diff() >= 0).all()


def test_a_subnets_first_parameters_do_not_depend_on_the_others() -> None:
    alone, both = id_network(hidden_size=2).initial_parameters(seed=3), SEPARATE.initial_parameters(seed=3)
    assert alone.keys() < both.keys()
    assert all(torch.equal(both[name], value) for name, value in alone.items())


def test_parameters_without_values_have_the_shapes_and_types_of_those_with() -> None:
    shapes = {name: (value.shape, value.dtype) for name, value in SEPARATE.initial_parameters(0).items()}
    without = SEPARATE.parameters_without_values()
    assert {name: (value.shape, value.dtype) for name, value in without.items()} == shapes
    assert all(value.is_meta for value in without.values())


def test_tables_are_told_from_parameters_that_are_needed_whole() -> None:
    assert SEPARATE.row_tables == {
        "readout.id": "output",
        "readout.image": "output",
        "subnets.id.input.id": "id",
        VECTORS: "id",
    }


def test_a_parameter_belongs_to_a_subnet_or_to_all() -> None:
    owners = {
        "subnets.id.bias": "id",
        "readout.image": "image",
        VECTORS: "image",
        "readout.output": "output",
    }
    assert {name: SHARED.owner(name) for name in owners} == owners
    taking_part = [name for name in owners if SHARED.takes_part(name, ["id"])]
    assert taking_part == ["subnets.id.bias", "readout.output"]
    assert [SHARED.learning_group(name) for name in owners] == ["id", "image", "image.vectors", "output"]


def test_subnets_that_carry_nothing_stand_still() -> None:
    parameters = SEPARATE.initial_parameters(seed=0)
    items = torch.tensor([[3, 1]])
    carry = {"id": SEPARATE.initial_carry(2, CPU)["id"]}
    leaves = parameters | {"subnets.id.input.id": parameters["subnets.id.input.id"][items[0]]}
    clicks = SEPARATE.clicks(items)
    assert SEPARATE.advance(leaves, carry, clicks, torch.tensor([True, True])).keys() == {"id"}
