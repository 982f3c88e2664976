"""Which subnets a table of what clicks feed them saves work, as they stand still in some phase.

Shapes: N items, H hidden size.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from prnn_cli.networks.network import Network
from prnn_cli.networks.standing import costs_more_than_a_gather, empty_table
from prnn_cli.networks.subnet import Subnet
from prnn_cli.training.strategies import Phase

WORTH_A_TABLE = 4  # clicks of an epoch on each item, on average: the table is made anew for each epoch


def standing_subnets(network: Network, phases: Sequence[Phase], device: torch.device) -> list[Subnet]:
    """The subnets that a table is of use to. A GPU has fast products, and less memory."""
    names = {name for phase in phases for name in phase.standing} if device.type == "cpu" else set()
    return [each for each in network.subnets if each.name in names and costs_more_than_a_gather(each)]


def standing_tables(
    network: Network, phases: Sequence[Phase], num_events: int, parameters: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """The tables (N, 3H) by subnet, still empty; none where an epoch's events are too few for them."""
    if num_events < WORTH_A_TABLE * network.num_items:
        return {}
    some = next(iter(parameters.values()))
    subnets = standing_subnets(network, phases, some.device)
    return {subnet.name: empty_table(network, subnet, some) for subnet in subnets}
