"""Processes that share a mini-batch against one that has it whole: threads stand for processes here."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import product
from threading import Barrier
from typing import TypeVar

import numpy as np
import pytest
import torch

from prnn_cli.batching import SessionParallelPlan
from prnn_cli.networks.network import Network
from prnn_cli.system.distributed import ProcessGroup, substituted
from prnn_cli.system.tree import tensors_of, unbind
from prnn_cli.training import losses, strategies
from prnn_cli.training.data_parallel import UNSHARDED, Sharded, Sharding
from prnn_cli.training.executors import EagerExecutor
from prnn_cli.training.negatives import NegativeSampler
from prnn_cli.training.state import TrainState
from prnn_cli.training.step import Step
from prnn_cli.training.ticks import TickMaker
from small import CPU, id_network, random_sessions, sampling_of
from training.test_executors import in_single_precision
from training.test_step import network_of, settings_of, with_input_dropout

T = TypeVar("T")
SLOTS, NEGATIVES = 6, 2


@dataclass
class Table:
    """What the threads put down for each other."""

    barrier: Barrier
    values: dict[int, object] = field(default_factory=dict)

    def exchanged(self, rank: int, value: T) -> list[T]:
        self.values[rank] = value
        self.barrier.wait()
        values = [self.values[each] for each in range(self.barrier.parties)]
        self.barrier.wait()
        return values  # type: ignore[return-value]


@dataclass(frozen=True)
class Threads(ProcessGroup):
    table: Table = field(default_factory=lambda: Table(Barrier(1)))

    def all_gather(self, value: T) -> list[T]:
        return self.table.exchanged(self.rank, value)

    def all_reduce(self, tensor: torch.Tensor) -> torch.Tensor:
        total: torch.Tensor = sum(self.all_gather(tensor.clone()))  # type: ignore[assignment]
        return tensor.copy_(total)

    def all_gather_shards(self, tensor: torch.Tensor) -> torch.Tensor:
        return torch.cat(self.all_gather(tensor))


def trained(
    network: Network,
    loss: str,
    strategy: str,
    group: ProcessGroup,
    sampling: str = "sampled",
    optimiser: str = "adagrad",
) -> TrainState:
    """Every phase for one epoch of about 60 steps, to the end of its shrinking tail."""
    sessions = random_sessions(seed=3, num_sessions=80)
    settings = settings_of(network, 0.0 if optimiser == "adam" else 0.2, optimiser)
    state = TrainState.initial(network, settings, SLOTS // group.world_size, seed=0, device=CPU)
    columns = sampling_of(sampling, sessions, SLOTS, NEGATIVES)
    plan = SessionParallelPlan.build(sessions, SLOTS)
    ticks = TickMaker(network, plan, seed=0, device=CPU, num_shards=group.world_size, **columns)
    alone, num_sampled = group.world_size == 1, 0 if sampling == "all" else NEGATIVES
    sharding: Sharding = UNSHARDED if alone else Sharded(group, SLOTS, SLOTS + num_sampled, CPU)
    execute = EagerExecutor(Step(network, getattr(losses, loss), settings, sharding))
    names = [subnet.name for subnet in network.subnets]
    for number, phase in enumerate(getattr(strategies, strategy)(names, epochs=1)):
        execute(state, ticks.make(number, 0, 0, ticks.num_updating_steps).batches, phase)
    return state.all_gathered()


def in_threads(number: int, work: Callable[[ProcessGroup], T]) -> list[T]:
    table = Table(Barrier(number, timeout=60))
    groups = [Threads(rank, rank, number, table) for rank in range(number)]

    def within(group: ProcessGroup) -> T:
        with substituted(group):
            return work(group)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(within, groups))


@pytest.mark.parametrize(
    ("arch", "strategy"),
    [
        pytest.param(*pair, marks=[] if i % 5 == 0 else pytest.mark.nightly)
        for i, pair in enumerate(product(["parallel", "shared_w", "interaction"], strategies.STRATEGIES))
    ],
)
def test_three_processes_of_two_slots_train_as_one_of_six(arch: str, strategy: str) -> None:
    """Three pairs by day: each network once, and three of the four strategies."""
    network = in_single_precision(network_of(arch, "image_and_text"), CPU)
    alone = trained(network, "top1", strategy, ProcessGroup())
    shared = in_threads(3, lambda group: trained(network, "top1", strategy, group))
    for state in shared:
        for value, first, expected in zip(
            tensors_of(state), tensors_of(shared[0]), tensors_of(alone), strict=True
        ):
            assert torch.equal(value, first)
            torch.testing.assert_close(value, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("loss", ["top1", "top1_max", "bpr", "bpr_max", "cross_entropy", "gbce"])
def test_every_loss_is_divided(loss: str) -> None:
    network = id_network(dropout=0.3)
    alone = trained(network, loss, "simultaneous", ProcessGroup())
    for state in in_threads(2, lambda group: trained(network, loss, "simultaneous", group)):
        for value, expected in zip(tensors_of(state), tensors_of(alone), strict=True):
            torch.testing.assert_close(value, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("sampling", ["all", "logq"])
def test_all_items_corrected_samples_and_tied_tables_are_divided(sampling: str, tied: bool) -> None:
    network = in_single_precision(network_of("parallel", "image", activation="linear", tied=tied), CPU)
    network = with_input_dropout(network, 0.3)

    def state_of(group: ProcessGroup) -> TrainState:
        return trained(network, "cross_entropy", "interleaving", group, sampling)

    alone = state_of(ProcessGroup())
    for state in in_threads(2, state_of):
        for value, expected in zip(tensors_of(state), tensors_of(alone), strict=True):
            torch.testing.assert_close(value, expected, rtol=1e-4, atol=1e-5)


def test_adams_steps_are_counted_once_for_all_processes() -> None:
    network = in_single_precision(network_of("parallel", "text"), CPU)
    alone = trained(network, "top1", "residual", ProcessGroup(), optimiser="adam")
    for state in in_threads(2, lambda group: trained(network, "top1", "residual", group, optimiser="adam")):
        assert torch.equal(state.counts["readout.id"], alone.counts["readout.id"])
        for name, value in alone.parameters.items():
            torch.testing.assert_close(state.parameters[name], value, rtol=1e-3, atol=1e-4)


def test_a_share_holds_its_own_slots_and_the_targets_of_all_with_its_own_first() -> None:
    network = id_network()
    plan = SessionParallelPlan.build(random_sessions(seed=0), SLOTS)
    sampler = NegativeSampler(np.ones(8), 0.0, NEGATIVES, CPU)
    ticks = TickMaker(network, plan, sampler, 0, CPU, num_shards=2)
    batch = unbind(ticks.make(0, 0, 0, 1).batches)[0]
    second = Sharded(ProcessGroup(1, 1, 2), SLOTS, SLOTS + NEGATIVES, CPU).shard(batch)
    targets, negatives = batch.outputs.index.split([SLOTS, NEGATIVES])
    assert second.clicks.items.tolist() == batch.clicks.items[3:].tolist()
    assert second.outputs.index.tolist() == [*targets[3:], *targets[:3], *negatives]


def test_a_checkpoint_holds_the_carried_state_of_all_and_each_takes_its_own_back() -> None:
    network = id_network()
    whole = TrainState.initial(network, settings_of(network, 0.0), SLOTS, seed=0, device=CPU)
    whole.carry["id"].copy_(torch.arange(SLOTS * 5).view(SLOTS, 5))
    shared = in_threads(2, lambda group: whole.sharded().all_gathered())
    assert all(torch.equal(state.carry["id"], whole.carry["id"]) for state in shared)
    with substituted(ProcessGroup(1, 1, 2)):
        assert whole.sharded().carry["id"].tolist() == whole.carry["id"][3:].tolist()
