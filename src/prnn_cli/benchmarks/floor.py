"""Floors: the least that a training step costs, which is its matrix products and row gathers, and where it scores every
item a pass over the output tables, all of whose rows it moves. Nothing else.

Shapes: B slots, H hidden, M output items, F features, n rows of a sparse input.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from prnn_cli.batching import Batch
from prnn_cli.benchmarks.timing import seconds_of
from prnn_cli.networks.inputs import Dense, Tied
from prnn_cli.networks.network import Network
from prnn_cli.networks.subnet import Subnet
from prnn_cli.training.strategies import Phase

Product = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Floor:
    """What a step cannot do without.

    products: pairs of matrices; gathers: tables and the rows (index) of them
    moved: pairs of tensors as large as a table that moves as a whole, to stand for its values and accumulators
    """

    products: list[Product]
    gathers: list[tuple[Tensor, Tensor]]
    moved: list[tuple[Tensor, Tensor]] = field(default_factory=list)

    def run(self) -> None:
        for table, index in self.gathers:
            table.index_select(0, index)
        for left, right in self.products:
            left @ right
        for values, accumulators in self.moved:
            accumulators.add_(values)  # as the gradient is read, and the accumulators are read and written
            values.mul_(1)  # as the values are read and written

    @property
    def multiplications(self) -> int:
        return sum(left.shape[0] * left.shape[1] * right.shape[1] for left, right in self.products)

    @property
    def bytes(self) -> int:
        """The bytes that move if factors, products and gathered rows are read and written once."""
        of_products = sum(a.numel() + b.numel() + len(a) * b.shape[1] for a, b in self.products)
        of_gathers = sum(2 * len(index) * table.shape[1] for table, index in self.gathers)
        of_moves = sum(5 * values.numel() for values, _ in self.moved)
        return 4 * (of_products + of_gathers + of_moves)


def floor_of(network: Network, parameters: dict[str, Tensor], batch: Batch, phase: Phase) -> Floor:
    """The floor of a step on this mini-batch, with all updates of the phase."""
    products: list[Product] = []
    gathers: list[tuple[Tensor, Tensor]] = []
    moved: list[tuple[Tensor, Tensor]] = []
    with torch.no_grad():
        for update in phase.updates:
            for name, table in network.row_tables.items():
                if network.takes_part(name, update.scores):
                    touched = batch.rows(table)
                    if touched is not None:
                        gathers.append((parameters[name], touched.index))
                    elif network.takes_part(name, update.learns):
                        moved.append((parameters[name].clone(), torch.zeros_like(parameters[name])))
            for subnet in network.subnets:
                if subnet.name in update.scores:
                    learns = subnet.name in update.learns
                    products += _of_subnet(subnet, parameters, batch, learns)
            for rows, states in _readout(network, update.scores, batch, parameters):
                scores = torch.ones(len(states), len(rows), device=rows.device)
                products += [(states, rows.T), (scores, rows), (scores.T, states)]
    return Floor(products, gathers, moved)


def floor_seconds(floor: Floor, device: torch.device, steps: int, repeats: int) -> float:
    """The seconds of a floor: on the CPU by running it, on a GPU the larger of arithmetic and memory time.

    The latter are at rates measured here, as launches would hide both if it were run.
    """
    if device.type == "cuda":
        multiplications_per_s, bytes_per_s = rates(device, repeats)
        return max(floor.multiplications / multiplications_per_s, floor.bytes / bytes_per_s)

    def run() -> None:
        for _ in range(steps):
            floor.run()

    return seconds_of(run, device, repeats) / steps


def rates(device: torch.device, repeats: int) -> tuple[float, float]:
    """The multiplications a second of a large product, and the bytes a second of a large copy."""
    square = torch.ones(4096, 4096, device=device)
    large = torch.ones(2**26, device=device)
    product: Callable[[], object] = lambda: square @ square  # noqa: E731
    return (
        4096**3 / seconds_of(product, device, repeats),
        2 * 4 * 2**26 / seconds_of(large.clone, device, repeats),
    )


def _of_subnet(subnet: Subnet, parameters: dict[str, Tensor], batch: Batch, learns: bool) -> list[Product]:
    gates, candidate = (
        parameters[f"{subnet.prefix}{name}"] for name in ("recurrent_gates", "recurrent_candidate")
    )
    slots, hidden_size = len(batch.active), subnet.hidden_size
    hidden = torch.ones(slots, hidden_size, device=gates.device)
    of_gates = torch.ones(slots, 2 * hidden_size, device=gates.device)
    products: list[Product] = [(hidden, gates), (hidden, candidate)]
    if learns:
        products += [(hidden, candidate.T), (hidden.T, of_gates), (hidden.T, hidden)]
    for source in subnet.inputs:
        if isinstance(source, Dense | Tied):
            weight = parameters[f"{subnet.prefix}input.{source.name}"]
            vectors = torch.ones(slots, len(weight), device=weight.device)
            products.append((vectors, weight))
            if learns:
                of_gates = torch.ones(slots, 3 * hidden_size, device=weight.device)
                products.append((vectors.T, of_gates))
                products += [(of_gates, weight.T)] if isinstance(source, Tied) else []
    return products


def _readout(
    network: Network, scoring: tuple[str, ...], batch: Batch, parameters: dict[str, Tensor]
) -> list[Product]:
    """The asked rows (M, H) of each output table that takes part, and what they are multiplied with (B, H)."""
    pairs = []
    for name in network.readout.tables:
        if network.takes_part(name, scoring):
            touched = batch.outputs
            rows = parameters[name] if touched is None else parameters[name].index_select(0, touched.index)
            rows = rows[:, :-1]
            pairs.append((rows, torch.ones(len(batch.active), rows.shape[1], device=rows.device)))
    return pairs
