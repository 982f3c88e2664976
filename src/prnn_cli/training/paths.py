"""The ways to take the steps of a tick: as they stand, compiled, or replayed from a captured CUDA graph.

All of them take the same step, `train_step`, which is written once: the fast ones trace it.
"""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

from prnn_cli.batching import Batch
from prnn_cli.errors import first_line
from prnn_cli.networks.network import Network
from prnn_cli.training.compiling import Compiled, compile_function
from prnn_cli.training.optim import LearningSettings
from prnn_cli.training.share import WHOLE, Share
from prnn_cli.training.state import TrainState
from prnn_cli.training.step import Loss, train_step
from prnn_cli.training.strategies import Phase
from prnn_cli.training.ticks import STEPS

Kind = tuple[Any, ...]

log = logging.getLogger(__name__)


class TakeSteps(Protocol):
    @property
    def taken(self) -> str:
        """The way that the steps so far were taken, `plain` where a faster one failed in any phase."""

    def __call__(self, state: TrainState, batches: Batch, phase: Phase) -> None:
        """The steps of mini-batches whose fields are (T, …)."""


def path_of(name: str, plain: "PlainPath") -> TakeSteps:
    """`name`: plain, compiled or graph."""
    if name == "plain":
        return plain
    return GraphPath(plain) if name == "graph" else CompiledPath(plain)


@dataclass(frozen=True)
class PlainPath:
    network: Network
    loss_of: Loss
    settings: Mapping[str, LearningSettings]
    share: Share = WHOLE
    taken: ClassVar[str] = "plain"

    def __call__(self, state: TrainState, batches: Batch, phase: Phase) -> None:
        for batch in batches.unbind():
            self.step(state, batch, phase)
        self.share.wait()  # before anything waits for a device that waits for a lost process

    def step(self, state: TrainState, batch: Batch, phase: Phase) -> None:
        train_step(self.network, self.loss_of, self.settings, state, batch, phase, self.share)


class CompiledPath:
    """The step as one compiled function for each kind of phase and mini-batch: forward, backward and optimiser
    together, by torch's Inductor, which caches what it compiles between runs. Equals the plain path up to rounding;
    where compilation fails, says so and goes on with the plain path.
    """

    def __init__(self, plain: PlainPath) -> None:
        self.plain = plain
        self._compiled: dict[Kind, Compiled | None] = {}

    @property
    def taken(self) -> str:
        return "compiled" if all(self._compiled.values()) else "plain"

    def __call__(self, state: TrainState, batches: Batch, phase: Phase) -> None:
        compiled = self.compiled(state, batches, phase)
        if compiled is None:
            self.plain(state, batches, phase)
            return
        of_state = state.tensors()
        with torch.no_grad():
            for of_batch in zip(*(each.unbind() for each in batches.tensors()), strict=True):
                compiled(*of_state, *of_batch)

    def compiled(self, state: TrainState, batches: Batch, phase: Phase) -> Compiled | None:
        kind = _kind(phase, batches)
        if kind not in self._compiled:
            self._compiled[kind] = _compiled_or_none(self.plain, state, batches, phase)
        return self._compiled[kind]


class GraphPath:
    """CUDA: the compiled step captured in a graph that reads its mini-batch at a counter on the device, so that a tick
    is one copy of its inputs and one launch a step. Where capture fails, says so and goes on with the compiled path.
    """

    def __init__(self, plain: PlainPath) -> None:
        self.compiled = CompiledPath(plain)
        self._captured: dict[Kind, _Captured | None] = {}

    @property
    def taken(self) -> str:
        return "graph" if all(self._captured.values()) else self.compiled.taken

    def __call__(self, state: TrainState, batches: Batch, phase: Phase) -> None:
        kind = _kind(phase, batches)
        captured = self._captured.get(kind)
        if captured is not None:
            captured.replay(batches.tensors())
            return
        # The first tick loads the kernels that a capture must find loaded.
        self.compiled(state, batches, phase)
        step = self.compiled.compiled(state, batches, phase)
        if kind not in self._captured:
            self._captured[kind] = step and _captured_or_none(step, state, batches)


class _Captured:
    def __init__(self, step: Compiled, state: TrainState, batches: Batch) -> None:
        """Capturing takes no step. There is room for any tick: the first one may be the rest of an epoch."""
        self.inputs = [each.new_zeros(max(STEPS, len(each)), *each.shape[1:]) for each in batches.tensors()]
        self.counter = torch.zeros(1, dtype=torch.int64, device=state.device)
        self.graph = torch.cuda.CUDAGraph()
        of_state = state.tensors()
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
    return (phase.updates, *(each.shape[1:] for each in batches.tensors()))


def compile_step(plain: PlainPath, state: TrainState, batches: Batch, phase: Phase) -> Compiled:
    """A function of `state.tensors()` and a mini-batch's `tensors()` that changes the former in place."""
    batch, constants = batches.unbind()[0], plain.network.constants
    of_network, of_state = len(constants), len(constants) + len(state.tensors())

    def flat(*tensors: Tensor) -> None:
        network = plain.network.with_constants(tensors[:of_network])
        traced_state = state.with_tensors(tensors[of_network:of_state])
        replace(plain, network=network).step(traced_state, batch.with_tensors(tensors[of_state:]), phase)

    arguments = [*constants, *state.tensors(), *batch.tensors()]
    return partial(compile_function(flat, arguments), *constants)


def _compiled_or_none(plain: PlainPath, state: TrainState, batches: Batch, phase: Phase) -> Compiled | None:
    started = time.perf_counter()
    log.info("compiling the step in which %s learns; kept for later runs", "+".join(phase.learning))
    try:
        compiled = compile_step(plain, state, batches, phase)
    except Exception as error:  # whatever a compiler may say, the plain step does the same
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
