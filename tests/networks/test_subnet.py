import torch
from torch import Tensor

from prnn_cli.batching import Clicks
from prnn_cli.networks.gru import gru_cell
from prnn_cli.networks.inputs import Dense, OneHot
from prnn_cli.networks.subnet import Subnet

IMAGE = Dense("image", torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]]))
SUBNET = Subnet("both", (OneHot(3), IMAGE), hidden_size=2, weight=1.0, dropout=0.5)
PARAMETERS = SUBNET.initial_parameters(torch.Generator().manual_seed(0))
CARRIED = torch.tensor([[0.5, -0.5], [0.5, -0.5]])
NOBODY = torch.tensor([False, False])


def step(new_session: Tensor = NOBODY, keep_mask: Tensor | None = None) -> Tensor:
    """Two slots that carry the same state and click items 2 and 2."""
    clicks = Clicks(torch.tensor([2, 2]), {})
    leaves = PARAMETERS | {"subnets.both.input.id": PARAMETERS["subnets.both.input.id"][[2, 2]]}
    return SUBNET.step(leaves, CARRIED, clicks, new_session, keep_mask)


def test_its_parameters_are_named_after_it() -> None:
    assert {name: tuple(value.shape) for name, value in PARAMETERS.items()} == {
        "subnets.both.input.id": (3, 6),
        "subnets.both.input.image": (2, 6),
        "subnets.both.recurrent_gates": (2, 4),
        "subnets.both.recurrent_candidate": (2, 2),
        "subnets.both.bias": (6,),
    }
    assert list(SUBNET.row_tables) == ["subnets.both.input.id"]


def test_the_cell_is_fed_the_sum_of_the_inputs_projections() -> None:
    of_id = PARAMETERS["subnets.both.input.id"][2]
    of_image = torch.tensor([3.0, 3.0]) @ PARAMETERS["subnets.both.input.image"]
    recurrent = [PARAMETERS[f"subnets.both.recurrent_{name}"] for name in ("gates", "candidate")]
    expected = gru_cell((of_id + of_image).expand(2, -1), CARRIED, *recurrent)
    torch.testing.assert_close(step(), expected)


def test_a_new_session_begins_from_nothing_in_its_slot_alone() -> None:
    first, second = step(new_session=torch.tensor([True, False]))
    assert torch.equal(second, step()[1])
    assert not torch.equal(first, second)


def test_dropout_scales_what_it_keeps() -> None:
    kept = step(keep_mask=torch.tensor([[1, 0], [1, 1]], dtype=torch.uint8))
    assert torch.equal(kept, step() * torch.tensor([[2.0, 0.0], [2.0, 2.0]]))
