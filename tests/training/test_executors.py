"""The fast ways to take a step against the plain one: many steps, with resets, duplicates and a shrinking tail."""

import logging
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
import torch

from prnn_cli.batching import SessionParallelPlan
from prnn_cli.networks.network import Network
from prnn_cli.system.hardware import num_threads
from prnn_cli.system.tree import map_tensors, tensors_of
from prnn_cli.training import executors, inductor, losses, strategies
from prnn_cli.training.executors import CompiledExecutor, EagerExecutor
from prnn_cli.training.losses import top1
from prnn_cli.training.negatives import NegativeSampler
from prnn_cli.training.optim import LearningSettings
from prnn_cli.training.state import TrainState
from prnn_cli.training.step import Step
from prnn_cli.training.ticks import TickMaker
from small import CPU, id_network, random_sessions, sampling_of
from training.test_step import network_of, settings_of, with_input_dropout

ARCHITECTURES = ("parallel", "shared_w", "interaction")
STRATEGIES = ("simultaneous", "alternating", "residual", "interleaving")
LOSSES = ("top1", "top1_max", "bpr", "bpr_max", "cross_entropy", "gbce")


def trained(
    network: Network,
    loss: str,
    strategy: str,
    executor_of: Callable[[Step], executors.Executor],
    momentum: float,
    device: torch.device = CPU,
    first_tick: int = 25,
    sampling: str = "sampled",
    optimiser: str = "adagrad",
) -> TrainState:
    """Every phase for one epoch of about 60 steps of 6 slots, with dropout and sampled negatives."""
    network = in_single_precision(network, device)
    sessions = random_sessions(seed=3, num_sessions=80)
    settings = settings_of(network, momentum, optimiser)
    state = TrainState.initial(network, settings, 6, seed=0, device=device)
    columns = sampling_of(sampling, sessions, 6, 2, device)
    ticks = TickMaker(network, SessionParallelPlan.build(sessions, 6), seed=0, device=device, **columns)
    execute = executor_of(Step(network, getattr(losses, loss), settings))
    names = [subnet.name for subnet in network.subnets]
    for number, phase in enumerate(getattr(strategies, strategy)(names, epochs=1)):
        last = ticks.num_updating_steps
        for start, stop in pairwise([0, *range(first_tick, last, 25), last]):
            execute(state, ticks.make(number, 0, start, stop).batches, phase)
    return state


def in_single_precision(network: Network, device: torch.device) -> Network:
    def single(tensor: torch.Tensor) -> torch.Tensor:
        return (tensor.float() if tensor.is_floating_point() else tensor).to(device)

    return replace(network, subnets=map_tensors(single, network.subnets))


def assert_close(one: TrainState, other: TrainState) -> None:
    for a, b in zip(tensors_of(one), tensors_of(other), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


class TracedExecutor(CompiledExecutor):
    """What is compiled, run as it was traced: a number frozen into the trace or a change that it lost would show."""

    def compiled(self, state: TrainState, batches: object, phase: object) -> executors.Compiled:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(inductor, "by_inductor", lambda traced, arguments: traced)
            compiled = super().compiled(state, batches, phase)  # type: ignore[arg-type]
        assert compiled is not None, "it fell back to the plain step, which is of course the plain one"
        return compiled


@pytest.mark.parametrize(
    ("arch", "strategy"),
    [
        pytest.param(*pair, marks=[] if i % 5 == 0 else pytest.mark.nightly)
        for i, pair in enumerate(product(ARCHITECTURES, STRATEGIES))
    ],
)
def test_the_traced_step_is_the_plain_one_for_every_architecture_and_strategy(
    arch: str, strategy: str
) -> None:
    """Three pairs by day, beside those of the tests below; the plain step of every pair is that of slow loops."""
    network = network_of(arch, "image_and_text")
    plain = trained(network, "top1", strategy, EagerExecutor, momentum=0.2)
    assert_close(trained(network, "top1", strategy, TracedExecutor, momentum=0.2), plain)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_traced_step_is_the_plain_one_for_every_loss(loss: str) -> None:
    network = network_of("parallel", "text", activation="elu")
    plain = trained(network, loss, "interleaving", EagerExecutor, momentum=0.0)
    assert_close(trained(network, loss, "interleaving", TracedExecutor, momentum=0.0), plain)


@pytest.mark.parametrize("sampling", ["all", "logq"])
@pytest.mark.parametrize(("arch", "strategy"), list(zip(ARCHITECTURES, STRATEGIES[1:], strict=True)))
def test_the_traced_step_is_the_plain_one_for_all_items_and_corrected_samples(
    arch: str, strategy: str, sampling: str
) -> None:
    network = network_of(arch, "text", activation="linear")
    plain, traced = (
        trained(network, "cross_entropy", strategy, executor, momentum=0.2, sampling=sampling)
        for executor in (EagerExecutor, TracedExecutor)
    )
    assert_close(traced, plain)


@pytest.mark.parametrize("strategy", ["alternating", "interleaving"])
def test_the_traced_step_is_the_plain_one_for_adam(strategy: str) -> None:
    network = network_of("shared_w", "image_and_text")
    plain = trained(network, "top1", strategy, EagerExecutor, momentum=0.0, optimiser="adam")
    traced = trained(network, "top1", strategy, TracedExecutor, momentum=0.0, optimiser="adam")
    assert_close(traced, plain)


@pytest.mark.nightly
@pytest.mark.parametrize(("arch", "strategy", "loss"), list(product(ARCHITECTURES, STRATEGIES, LOSSES)))
def test_the_compiled_step_is_the_plain_one(
    arch: str, strategy: str, loss: str, caplog: pytest.LogCaptureFixture
) -> None:
    network = network_of(arch, "image_and_text")
    plain = trained(network, loss, strategy, EagerExecutor, momentum=0.2)
    assert_close(trained(network, loss, strategy, CompiledExecutor, momentum=0.2), plain)
    assert "failed" not in caplog.text


@pytest.mark.parametrize("sampling", ["all", "sampled"])
@pytest.mark.parametrize(("arch", "strategy"), list(zip(ARCHITECTURES, STRATEGIES[1:], strict=True)))
def test_the_traced_step_of_tied_tables_and_dropped_inputs_is_plain(
    arch: str, strategy: str, sampling: str
) -> None:
    network = with_input_dropout(network_of(arch, "image_and_text", activation="linear", tied=True), 0.3)
    plain, traced = (
        trained(network, "cross_entropy", strategy, executor, momentum=0.2, sampling=sampling)
        for executor in (EagerExecutor, TracedExecutor)
    )
    assert_close(traced, plain)


@pytest.mark.nightly
def test_the_compiled_step_that_scores_all_items_is_the_plain_one(caplog: pytest.LogCaptureFixture) -> None:
    network = id_network(activation="linear", dropout=0.3)
    plain, compiled = (
        trained(network, "cross_entropy", "simultaneous", executor, momentum=0.0, sampling="all")
        for executor in (EagerExecutor, CompiledExecutor)
    )
    assert_close(compiled, plain)
    assert "failed" not in caplog.text


@pytest.mark.parametrize(
    "network",
    [
        pytest.param(id_network(dropout=0.3), id="id"),
        pytest.param(network_of("parallel", "image"), id="image", marks=pytest.mark.nightly),
    ],
)
def test_the_compiled_step_of_small_networks_is_the_plain_one(
    network: Network, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    plain = trained(network, "top1", "simultaneous", EagerExecutor, momentum=0.0)
    assert_close(trained(network, "top1", "simultaneous", CompiledExecutor, momentum=0.0), plain)
    assert "failed" not in caplog.text


@pytest.mark.nightly
@pytest.mark.parametrize("optimiser", ["adagrad", "adam"])
def test_compiled_steps_of_several_threads_give_the_same_bits_each_time(optimiser: str) -> None:
    """One item stands in many slots: whichever thread adds up its gradients must do so in one order."""
    network = id_network(hidden_size=100)
    settings = settings_of(network, 0.0, optimiser)
    sessions = random_sessions(seed=3, num_sessions=512)
    sampler = NegativeSampler(np.bincount(sessions.items, minlength=8), 0.5, 0, CPU)
    ticks = TickMaker(network, SessionParallelPlan.build(sessions, 256), sampler, seed=0, device=CPU)
    (phase,) = strategies.simultaneous(["id"], epochs=1)
    with num_threads(2):
        execute = CompiledExecutor(Step(network, top1, settings))
        first, *others = (TrainState.initial(network, settings, 256, seed=0, device=CPU) for _ in range(20))
        for state in (first, *others):
            execute(state, ticks.make(0, 0, 0, 13).batches, phase)
    assert execute.used == "compiled"
    for other in others:
        assert all(map(torch.equal, tensors_of(first), tensors_of(other)))


def test_a_failed_compilation_is_a_warning_and_training_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*arguments: object) -> None:
        raise RuntimeError("no compiler\nand much more")

    monkeypatch.setattr(executors, "compile_step", refuse)
    network = id_network(dropout=0.3)
    plain = trained(network, "top1", "simultaneous", EagerExecutor, momentum=0.0)
    same = trained(network, "top1", "simultaneous", CompiledExecutor, momentum=0.0)
    assert all(map(torch.equal, tensors_of(same), tensors_of(plain)))
    assert caplog.text.count("compilation failed, so training goes on uncompiled: no compiler") == 1


def test_the_way_that_steps_were_taken_is_told_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    network = id_network()
    taken = []

    def remembered(step: Step) -> executors.Executor:
        taken.append(CompiledExecutor(step))
        return taken[-1]

    monkeypatch.setattr(executors, "compile_step", lambda *arguments: lambda *tensors: None)
    trained(network, "top1", "simultaneous", remembered, momentum=0.0)
    monkeypatch.delattr(executors, "compile_step")
    trained(network, "top1", "simultaneous", remembered, momentum=0.0)
    assert [executor.used for executor in taken] == ["compiled", "eager"]


def test_a_bad_loss_is_noticed_with_its_step_on_the_compiled_path_too() -> None:
    network, settings = id_network(), {"id": LearningSettings(0.1, 0.0)}
    state = TrainState.initial(network, settings, 6, seed=0, device=CPU)
    sessions = random_sessions(seed=3, num_sessions=80)
    sampler = NegativeSampler(np.bincount(sessions.items, minlength=8), 0.5, 2, CPU)
    ticks = TickMaker(network, SessionParallelPlan.build(sessions, 6), sampler, seed=0, device=CPU)
    execute = TracedExecutor(Step(network, top1, settings))
    (phase,) = strategies.simultaneous(["id"], epochs=1)
    execute(state, ticks.make(0, 0, 0, 5).batches, phase)
    assert int(state.tally["first_bad_step"]) > 5
    state.parameters["subnets.id.bias"][0] = torch.nan
    execute(state, ticks.make(0, 0, 5, 10).batches, phase)
    assert int(state.tally["first_bad_step"]) == 5
