"""Executors: how the steps of a tick are run: eagerly, compiled, or replayed from a captured CUDA graph.

All of them run the same `Step`, which is written once: the fast ones trace it.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

from prnn_cli.batching import Batch
from prnn_cli.errors import first_line
from prnn_cli.system.tree import tensors_of, unbind, with_tensors
from prnn_cli.training.inductor import Compiled, compile_function
from prnn_cli.training.state import TrainState
from prnn_cli.training.step import Step
from prnn_cli.training.strategies import Phase
from prnn_cli.training.ticks import STEPS

Kind = tuple[Any, ...]

log = logging.getLogger(__name__)


class Executor(Protocol):
    """A way to run steps."""

    @property
    def used(self) -> str:
        """How the steps so far were run: eager, compiled or graph; the slower one where a faster one failed in any
        phase."""

    def __call__(self, state: TrainState, batches: Batch, phase: Phase) -> None:
        """Runs the steps of T mini-batches, whose fields are (T, …), and changes `state` in place."""


def executor_of(name: str, step: Step) -> Executor:
    """The executor called `name` (eager, compiled or graph) of a step."""
    return EXECUTORS[name](step)


@dataclass(frozen=True)
class EagerExecutor:
    """The step run as it is written, one operation after another: what the other executors are compared with."""

    step: Step
    used: ClassVar[str] = "eager"

    def __call__(self, state: TrainState, batches: Batch, phase: Phase) -> None:
        for batch in unbind(batches):
            self.step(state, batch, phase)
        # A device that waits for a lost process would keep whatever reads from it waiting as well.
        self.step.sharding.wait()


class CompiledExecutor:
    """The step as one compiled function: forward, backward and optimiser together, by torch's Inductor.

    There is one for each kind of phase and mini-batch; Inductor caches what it compiles between runs. It equals the
    eager step up to rounding. Where compilation fails, a warning says so and steps are run eagerly.
    """

    def __init__(self, step: Step) -> None:
        self.step, self.eager = step, EagerExecutor(step)
        self._compiled: dict[Kind, Compiled | None] = {}

    @property
    def used(self) -> str:
        return "compiled" if all(self._compiled.values()) else "eager"

    def __call__(self, state: TrainState, batches: Batch, phase: Phase) -> None:
        compiled = self.compiled(state, batches, phase)
        if compiled is None:
            self.eager(state, batches, phase)
            return
        of_state = tensors_of(state)
        with torch.no_grad():
            for of_batch in zip(*(each.unbind() for each in tensors_of(batches)), strict=True):
                compiled(*of_state, *of_batch)

    def compiled(self, state: TrainState, batches: Batch, phase: Phase) -> Compiled | None:
        kind = _kind(phase, batches)
        if kind not in self._compiled:
            self._compiled[kind] = _compiled_or_none(self.step, state, batches, phase)
        return self._compiled[kind]


class GraphExecutor:
    """The compiled step captured in a CUDA graph that reads its mini-batch at a counter on the device.

    So a tick is one copy of its inputs and one launch a step. Where capture fails, a warning says so and the compiled
    steps are launched one by one.
    """

    def __init__(self, step: Step) -> None:
        self.compiled = CompiledExecutor(step)
        self._captured: dict[Kind, _Captured | None] = {}

    @property
    def used(self) -> str:
        return "graph" if all(self._captured.values()) else self.compiled.used

    def __call__(self, state: TrainState, batches: Batch, phase: Phase) -> None:
        kind = _kind(phase, batches)
        captured = self._captured.get(kind)
        if captured is not None:
            captured.replay(tensors_of(batches))
            return
        # The first tick loads the kernels that a capture must find loaded.
        self.compiled(state, batches, phase)
        step = self.compiled.compiled(state, batches, phase)
        if kind not in self._captured:
            self._captured[kind] = step and _captured_or_none(step, state, batches)


class _Captured:
    """A captured step, with the memory that it reads its mini-batches from.

    Capturing takes no step. The memory has room for any tick, as the first one may be the rest of an epoch.
    """

    def __init__(self, step: Compiled, state: TrainState, batches: Batch) -> None:
        self.inputs = [each.new_zeros(max(STEPS, len(each)), *each.shape[1:]) for each in tensors_of(batches)]
        self.counter = torch.zeros(1, dtype=torch.int64, device=state.device)
        self.graph = torch.cuda.CUDAGraph()
        of_state = tensors_of(state)
        # Other threads prepare the next tick meanwhile, which only this mode allows.
        with torch.no_grad(), torch.cuda.graph(self.graph, capture_error_mode="thread_local"):
            step(*of_state, *(each.index_select(0, self.counter)[0] for each in self.inputs))
            self.counter.add_(1)

    def replay(self, inputs: list[Tensor]) -> None:
        num_steps = len(inputs[0])
        for own, given in zip(self.inputs, inputs, strict=True):
            own[:num_steps].copy_(given)
        self.counter.zero_()
        for _ in range(num_steps):
            self.graph.replay()


def _kind(phase: Phase, batches: Batch) -> Kind:
    """What a fast step was made for: the updates, and the shapes of a mini-batch, which it does not check."""
    return (phase.updates, *(each.shape[1:] for each in tensors_of(batches)))


def compile_step(step: Step, state: TrainState, batches: Batch, phase: Phase) -> Compiled:
    """A function of the tensors of a state and of a mini-batch (`tensors_of`) that changes the former in place.

    Item vectors are arguments of what is compiled, too, as a trace may read no real tensors; they are bound here.
    """
    network, batch = step.network_in(phase), unbind(batches)[0]
    subnets = network.subnets
    held = (subnets, state, batch)

    def flat(*tensors: Tensor) -> None:
        traced_subnets, traced_state, traced_batch = with_tensors(held, tensors)
        traced = replace(step, network=replace(network, subnets=traced_subnets), fed_by={})
        traced(traced_state, traced_batch, phase)

    return partial(compile_function(flat, tensors_of(held)), *tensors_of(subnets))


def _compiled_or_none(step: Step, state: TrainState, batches: Batch, phase: Phase) -> Compiled | None:
    started = time.perf_counter()
    log.info("compiling the step in which %s learns; kept for later runs", "+".join(phase.learning))
    try:
        compiled = compile_step(step, state, batches, phase)
    except Exception as error:  # whatever a compiler may say, the eager step does the same
        log.warning("compilation failed, so training goes on uncompiled: %s", first_line(error))
        return None
    log.info("compiled in %.1f s", time.perf_counter() - started)
    return compiled


def _captured_or_none(step: Compiled, state: TrainState, batches: Batch) -> _Captured | None:
    stream = torch.cuda.current_stream()
    try:
        return _Captured(step, state, batches)
    except Exception as error:
        torch.cuda.set_stream(stream)  # a capture that breaks off leaves its own
        torch.cuda.synchronize()
        log.warning(
            "no CUDA graph could be captured, so steps are launched one by one: %s", first_line(error)
        )
        return None


EXECUTORS: dict[str, Callable[[Step], Executor]] = {
    "eager": EagerExecutor,
    "compiled": CompiledExecutor,
    "graph": GraphExecutor,
}
