"""Subnets that stand still: while a subnet does not learn, what a click feeds it is a row of a table.

The products of an image's values with the input weights are most of what such a subnet costs, and each item's comes
out the same at every click.

Shapes: B slots, N items, H hidden size.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from prnn_cli.batching import Clicks
from prnn_cli.networks.inputs import OneHot, Tied
from prnn_cli.networks.network import Network
from prnn_cli.networks.scorer import leaves_of_clicks
from prnn_cli.networks.subnet import Subnet
from prnn_cli.system.tree import unbind

BLOCK = 4096  # items at once


@dataclass(frozen=True, eq=False)
class StandingSubnet(Subnet):
    """A subnet whose parameters stay as they are. fed_by: (N, 3H), what a click on each item feeds it, x·W + b"""

    fed_by: Tensor = field(kw_only=True)

    def fed(
        self, leaves: Mapping[str, Tensor], clicks: Clicks, input_masks: Mapping[str, Tensor] | None = None
    ) -> Tensor:
        return self.fed_by.index_select(0, clicks.items)


def with_standing(network: Network, tables: Mapping[str, Tensor]) -> Network:
    """The network in which the subnets that `tables` (N, 3H) has, by name, stand still."""

    def standing(subnet: Subnet) -> Subnet:
        table = tables.get(subnet.name)
        if table is None:
            return subnet
        return StandingSubnet(subnet.name, (), subnet.hidden_size, subnet.weight, fed_by=table)

    return replace(network, subnets=tuple(map(standing, network.subnets))) if tables else network


def costs_more_than_a_gather(subnet: Subnet) -> bool:
    """Whether a table is of use to a subnet: what is tied to an output table changes while others learn."""
    kinds = {type(each) for each in subnet.inputs}
    return kinds != {OneHot} and Tied not in kinds


def empty_table(network: Network, subnet: Subnet, like: Tensor) -> Tensor:
    """A table (N, 3H) of NaN, which would show wherever it was not filled."""
    return like.new_full((network.num_items, 3 * subnet.hidden_size), torch.nan)


@torch.no_grad()
def fill(tables: Mapping[str, Tensor], network: Network, parameters: Mapping[str, Tensor]) -> None:
    """Sets the tables (N, 3H), by subnet, to what a click on each item feeds it by these parameters."""
    device = next(iter(parameters.values())).device
    for start in range(0, network.num_items if tables else 0, BLOCK):
        items = torch.arange(start, min(start + BLOCK, network.num_items), device=device)
        clicks = unbind(network.clicks(items[None]))[0]
        leaves = leaves_of_clicks(network, parameters, clicks)
        for subnet in network.subnets:
            if subnet.name in tables:
                tables[subnet.name][start : start + BLOCK] = subnet.fed(leaves, clicks)
