"""Training with tables of what clicks feed subnets that stand still, against training without."""

from collections.abc import Callable

import pytest
import torch

from prnn_cli.batching import SessionParallelPlan
from prnn_cli.networks.network import Network
from prnn_cli.training import standing, strategies, ticks
from prnn_cli.training.executors import EagerExecutor, Executor
from prnn_cli.training.losses import top1
from prnn_cli.training.standing import standing_tables
from prnn_cli.training.state import TrainState
from prnn_cli.training.step import Step
from prnn_cli.training.ticks import TickMaker
from prnn_cli.training.trainer import Trainer
from small import CPU, random_sessions, sampling_of
from training.test_executors import TracedExecutor, assert_close, in_single_precision
from training.test_step import network_of, settings_of

SESSIONS = random_sessions(seed=3, num_sessions=80)


def trainer_of(
    network: Network, strategy: str, executor_of: Callable[[Step], Executor], with_tables: bool
) -> tuple[Trainer, Step]:
    """Two epochs of each subnet, of about 60 steps of 6 slots, with dropout and sampled negatives."""
    settings = settings_of(network, momentum=0.3)
    state = TrainState.initial(network, settings, 6, seed=0, device=CPU)
    plan = SessionParallelPlan.build(SESSIONS, 6)
    phases = getattr(strategies, strategy)([subnet.name for subnet in network.subnets], epochs=2)
    events = int(plan.num_active.sum())
    tables = standing_tables(network, phases, events, state.parameters) if with_tables else {}
    step = Step(network, top1, settings, fed_by=tables)
    maker = TickMaker(network, plan, seed=0, device=CPU, **sampling_of("sampled", SESSIONS, 6, 2, CPU))
    return Trainer(network, executor_of(step), phases, maker, state, begin_epoch=step.begin_epoch), step


@pytest.mark.parametrize("executor_of", [EagerExecutor, TracedExecutor])
@pytest.mark.parametrize("strategy", ["alternating", "residual"])
@pytest.mark.parametrize(
    "arch",
    ["parallel", *(pytest.param(arch, marks=pytest.mark.nightly) for arch in ("shared_w", "interaction"))],
)
def test_tables_change_nothing_but_rounding(
    arch: str, strategy: str, executor_of: Callable[[Step], Executor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables are filled anew in each epoch. By residual training, the last subnet never stands still."""
    monkeypatch.setattr(ticks, "STEPS", 25)
    network = in_single_precision(network_of(arch, "image_and_text"), CPU)
    states = []
    for with_tables in (True, False):
        trainer, step = trainer_of(network, strategy, executor_of, with_tables)
        trainer.run(at_tick=lambda progress: None, at_epoch=lambda record: None)
        states.append(trainer.state)
        of_alternating = {"image", "text"} if strategy == "alternating" else {"image"}
        assert set(step.fed_by) == (of_alternating if with_tables else set())
        assert not any(table.isnan().any() for table in step.fed_by.values())
    assert_close(*states)


@pytest.mark.parametrize("strategy", ["simultaneous", "interleaving"])
def test_no_subnet_has_a_table_where_all_learn_from_each_mini_batch(strategy: str) -> None:
    network = in_single_precision(network_of("parallel", "image_and_text"), CPU)
    _, step = trainer_of(network, strategy, EagerExecutor, with_tables=True)
    assert step.fed_by == {}


def test_few_events_make_no_table() -> None:
    """It would cost more than it saves where items are clicked three times an epoch."""
    network = in_single_precision(network_of("parallel", "image"), CPU)
    phases = strategies.alternating(["id", "image"], epochs=1)
    parameters = network.initial_parameters(seed=0)
    assert standing_tables(network, phases, 3 * network.num_items, parameters) == {}
    assert set(standing_tables(network, phases, 4 * network.num_items, parameters)) == {"image"}
    assert standing.standing_subnets(network, phases, torch.device("cuda")) == []
