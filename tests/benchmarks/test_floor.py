import torch

from prnn_cli.benchmarks.floor import floor_of
from prnn_cli.training.strategies import simultaneous
from small import batches_of, id_network, parameters_of, sessions_of, whole_batches_of


def test_the_floor_is_the_steps_eight_products_and_two_gathers() -> None:
    """2 slots, 5 units, 3 asked items: the numbers of multiplications by hand."""
    network = id_network(hidden_size=5)
    batch = batches_of(network, sessions_of([0, 1], [2, 3]), num_slots=2, negatives=torch.tensor([7]))[0]
    floor = floor_of(network, parameters_of(network), batch, simultaneous(["id"], 1)[0])
    forward = 2 * 5 * 10 + 2 * 5 * 5 + 2 * 5 * 3
    backward = 2 * (2 * 5 * 3) + 2 * 5 * 5 + 5 * 2 * 10 + 5 * 2 * 5
    assert len(floor.products) == 8
    assert floor.multiplications == forward + backward
    assert sorted(len(index) for _, index in floor.gathers) == [2, 3]


def test_the_floor_of_a_step_that_scores_every_item_holds_whole_tables_and_a_pass_over_them() -> None:
    """2 slots, 5 units, 8 items: the readout's three products are with all rows, and none of these is gathered."""
    network = id_network(num_items=8, hidden_size=5)
    batch = whole_batches_of(network, sessions_of([0, 1], [2, 3]), num_slots=2)[0]
    parameters = parameters_of(network)
    before = {name: value.clone() for name, value in parameters.items()}
    floor = floor_of(network, parameters, batch, simultaneous(["id"], 1)[0])
    recurrent = 2 * 5 * 10 + 2 * 5 * 5 + 2 * 5 * 5 + 5 * 2 * 10 + 5 * 2 * 5
    assert floor.multiplications == recurrent + 3 * (2 * 5 * 8)
    assert [len(index) for _, index in floor.gathers] == [2]
    assert [values.shape for values, _ in floor.moved] == [(8, 6)]
    floor.run()
    assert all(torch.equal(parameters[name], value) for name, value in before.items())
