"""Logits by hand: two subnets of one unit, of weights 1 and 10; one item with W = 5 and 7, b = 1 and 2."""

import pytest
import torch

from prnn_cli.networks.inputs import OneHot
from prnn_cli.networks.readouts import READOUTS, initial_tables, logits
from prnn_cli.networks.subnet import Subnet

SUBNETS = [Subnet(name, (OneHot(8),), 1, weight) for name, weight in (("id", 1.0), ("text", 10.0))]
HIDDEN = {"id": torch.tensor([[2.0]]), "text": torch.tensor([[3.0]])}
LEAVES = {
    "readout.id": torch.tensor([[5.0, 1.0]]),
    "readout.text": torch.tensor([[7.0, 2.0]]),
    "readout.output": torch.tensor([[5.0, 1.0]]),
}


@pytest.mark.parametrize(
    ("readout", "both", "first"),
    [
        ("separate", (5 * 2 + 1) + 10 * (7 * 3 + 2), 5 * 2 + 1),
        ("shared", 5 * (2 + 10 * 3) + 1, 5 * 2 + 1),
        ("interaction", (5 * 2 + 1) + 10 * (7 * 2 * 3 + 2), 5 * 2 + 1),
    ],
)
def test_logits_by_hand_of_both_subnets_and_of_the_first_alone(
    readout: str, both: float, first: float
) -> None:
    made = READOUTS[readout](SUBNETS)
    assert logits(made, LEAVES, HIDDEN).tolist() == [[both]]
    assert logits(made, LEAVES, {"id": HIDDEN["id"]}).tolist() == [[first]]


def test_a_table_starts_with_a_bias_of_0_and_does_not_depend_on_the_others() -> None:
    both = initial_tables(READOUTS["separate"](SUBNETS), 8, seed=0)
    alone = initial_tables(READOUTS["separate"](SUBNETS[:1]), 8, seed=0)
    assert {name: table.shape for name, table in both.items()} == {
        "readout.id": (8, 2),
        "readout.text": (8, 2),
    }
    assert torch.equal(both["readout.id"], alone["readout.id"])
    assert not both["readout.text"][:, -1].any()
