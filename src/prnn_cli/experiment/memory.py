"""The memory that training takes: estimated before any of it is allocated, and listed where it runs out."""

import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from scipy.sparse import csr_array
from torch import Tensor

from prnn_cli.errors import RunError, UserError, is_out_of_memory
from prnn_cli.experiment.build import build_network, learning_settings, schedule
from prnn_cli.features.table import FeatureTable
from prnn_cli.networks.network import Network
from prnn_cli.schema import TrainCommand
from prnn_cli.system.forked import tell
from prnn_cli.system.hardware import peak_bytes
from prnn_cli.training.optim import ADAM
from prnn_cli.training.standing import standing_subnets
from prnn_cli.training.state import initial_states
from prnn_cli.training.ticks import STEPS

GIB = 1 << 30
MEMORY = "memory"  # how a run names, to what started it, the bytes that it will take
MEMORY_SHARE = 0.8  # of what is free, that trainings side by side may take together


@dataclass(frozen=True)
class Need:
    """A part of the memory that training takes. lower: the options that make it smaller"""

    what: str
    num_bytes: int
    lower: str


def memory_needs(
    settings: TrainCommand, num_items: int, features: Mapping[str, FeatureTable], device: torch.device
) -> list[Need]:
    """Estimates the tensors that training keeps, the largest first; the data and torch itself come on top."""
    network = build_network(settings, num_items, features, torch.device("cpu"))
    parameters = network.parameters_without_values()
    recipe = settings.recipe
    batch, negatives = recipe.batch_size, recipe.num_drawn
    tables = [parameters[name] for name in network.readout.tables] if recipe.scores_all else []
    sizes = "subnets.*.hidden_size (units.*)"
    needs = [
        Need("parameters", _bytes(parameters.values()), sizes),
        *_needs_of_optimiser(settings, network, parameters, sizes),
        Need(
            "scores and their gradients",
            6 * 4 * batch * recipe.num_columns(num_items),
            f"recipe.num_sampled{' (from all to 2048)' if recipe.scores_all else ''}, batch_size",
        ),
        # Gradient, step and root of the accumulator are as large as the table, where no compiled step fuses them.
        Need("gradients of whole output tables", 3 * _bytes(tables), "recipe.num_sampled (from all to 2048)"),
        Need(
            "two ticks of inputs", 2 * STEPS * _bytes_of_step(network, batch, negatives), "recipe.batch_size"
        ),
        Need(
            "what clicks feed subnets that stand still", _bytes_of_standing(settings, network, device), sizes
        ),
        Need("item features", sum(map(_bytes_of_table, features.values())), "the features' dimensions"),
    ]
    # Where a GPU trains, this copy lies in the main memory, not beside the rest.
    if device.type == "cpu":
        state = sum(need.num_bytes for need in needs[:3])
        needs.append(Need("the copy that a checkpoint is written from", state, sizes))
    return sorted(needs, key=lambda need: -need.num_bytes)


def _needs_of_optimiser(
    settings: TrainCommand, network: Network, parameters: Mapping[str, Tensor], sizes: str
) -> tuple[Need, Need]:
    states = initial_states(network, parameters, learning_settings(settings)).values()
    squares = _bytes(each.accumulator for each in states)
    velocities = _bytes(each.velocity for each in states if each.velocity is not None)
    if settings.recipe.optimiser == ADAM:
        counts = _bytes(each.count for each in states if each.count is not None)
        return (
            Need("second moments of Adam", squares, sizes),
            Need("first moments and step counts of Adam", velocities + counts, sizes),
        )
    return (
        Need("accumulators of Adagrad", squares, sizes),
        Need("velocities of momentum", velocities, "recipe.momentum (to 0), or " + sizes),
    )


def _bytes_of_standing(settings: TrainCommand, network: Network, device: torch.device) -> int:
    """The bytes of their tables, (N, 3H) each, if an epoch has events enough for them."""
    standing = standing_subnets(network, schedule(settings, epochs=1), device)
    return sum(4 * network.num_items * 3 * subnet.hidden_size for subnet in standing)


def refuse_too_large(needs: Sequence[Need], device: torch.device) -> None:
    """Raises `UserError` where main memory cannot hold the needs.

    A GPU is left to the allocation itself, which fails at once; the main memory would be overcommitted, and the
    process killed much later.
    """
    total, free = sum(need.num_bytes for need in needs), free_memory()
    if device.type == "cpu" and free is not None and total > free:
        parts = ", ".join(f"{need.what} {need.num_bytes / GIB:.1f}" for need in needs[:3])
        raise UserError(
            f"training would take about {total / GIB:.1f} GiB of memory ({parts}), and {free / GIB:.1f} GiB are free; "
            f"lower {needs[0].lower}"
        )


def tell_memory(needs: Sequence[Need] = ()) -> None:
    """Tells what started this run, and may start others beside it, the memory that it takes with these needs."""
    tell(MEMORY, peak_bytes() + sum(need.num_bytes for need in needs))


@contextmanager
def shortage_explained(needs: Sequence[Need]) -> Iterator[None]:
    """Turns an error for want of memory into a `RunError` that lists what takes how much, and what to lower."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        total = sum(need.num_bytes for need in needs)
        width = max(len(need.what) for need in needs)
        lines = [
            f"  {need.what:<{width}}  {need.num_bytes / GIB:8.3f} GiB   lower {need.lower}"
            for need in needs
            if need.num_bytes
        ]
        raise RunError(
            f"out of memory: training takes about {total / GIB:.2f} GiB beside what torch itself and other processes "
            "take; lower what takes most:\n" + "\n".join(lines)
        ) from error


def free_memory() -> int | None:
    """Bytes that this process may still take, by the system and by its control group; None where neither says."""
    limits = [limit for limit in (_free_of_system(), _free_of_group()) if limit is not None]
    return min(limits, default=None)


def _free_of_system() -> int | None:
    with suppress(OSError):
        if found := re.search(r"MemAvailable:\s*(\d+) kB", Path("/proc/meminfo").read_text()):
            return 1024 * int(found[1])
    with suppress(ValueError, OSError):
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _free_of_group() -> int | None:
    """The bytes left in the control group (version 2, or 1); the kernel's cache of files counts as free."""
    for folder, limit, used in (
        ("/sys/fs/cgroup", "memory.max", "memory.current"),
        ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        with suppress(OSError, ValueError):  # "max" is no number
            files = re.search(r"^inactive_file (\d+)$", Path(folder, "memory.stat").read_text(), re.MULTILINE)
            most, now = (int(Path(folder, name).read_text()) for name in (limit, used))
            return most - now + (int(files[1]) if files else 0)
    return None


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(value.numel() * value.element_size() for value in tensors)


def _bytes_of_step(network: Network, batch: int, negatives: int) -> int:
    """The bytes of a step's inputs: indices of clicks and outputs with their first occurrences, masks of dropout."""
    indices = 16 * (batch + negatives) + 16 * batch * len(network.subnets)
    indices += 16 * (2 * batch + negatives) if network.tied_table else 0
    # Terms are as many as the data say; a click has few, beside the values of a hidden state.
    num_rows = dict.fromkeys(network.row_tables.values(), batch)
    shapes = [shape for subnet in network.subnets for shape, _ in subnet.masks(batch, num_rows).values()]
    return indices + sum(map(math.prod, shapes))


def _bytes_of_table(table: FeatureTable) -> int:
    if isinstance(table.vectors, csr_array):
        # 8 bytes where each row starts; for each non-zero, 12 of a column and a weight, and 8 in the table itself.
        return 8 * table.num_items + 20 * table.num_nonzeros
    return int(table.vectors.nbytes)
