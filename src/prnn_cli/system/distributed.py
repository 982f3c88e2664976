"""The processes that torchrun starts for one run: which of them this is, and how they exchange what they have.

The words are torch.distributed's. Tensors on a GPU go by NCCL, all else by Gloo. Every process calls the same methods
in the same order. A process belongs to one group for its whole life, as in torch, so that nobody hands it around.
"""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from prnn_cli.errors import LostProcessError

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")

PATIENCE = timedelta(hours=1)  # with one that comes later, as it prepares data on another machine


@dataclass(frozen=True)
class ProcessGroup:
    """One process's view of all processes of a run. rank: from 0, which is the main process; local_rank: among those
    of this machine; world_size: how many there are."""

    rank: int = 0
    local_rank: int = 0
    world_size: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes files and speaks to the user."""
        return self.rank == 0

    @contextmanager
    def initialised(self) -> Iterator[None]:
        """Connects the processes; waits until all are there."""
        if self.world_size == 1:
            yield
            return
        import torch
        from torch import distributed

        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        with _loss_explained():
            distributed.init_process_group(backend, timeout=PATIENCE)
        yield
        distributed.destroy_process_group()  # not after a failure: it would wait for a lost process

    def broadcast(self, value: T) -> T:
        """The main process's value, in all of them."""
        if self.world_size == 1:
            return value
        from torch import distributed

        box = [value]
        with _loss_explained():
            distributed.broadcast_object_list(box, src=0, device="cpu")  # type: ignore[arg-type]
        return box[0]

    def all_gather(self, value: T) -> list[T]:
        """The value of each process, in the order of their ranks."""
        if self.world_size == 1:
            return [value]
        from torch import distributed

        values: list[T | None] = [None] * self.world_size
        with _loss_explained():
            distributed.all_gather_object(values, value)
        return values  # type: ignore[return-value]

    def all_reduce(self, tensor: "Tensor") -> "Tensor":
        """The sum over all processes, in place; the same bits in all of them."""
        if self.world_size > 1:
            from torch import distributed

            with _loss_explained():
                distributed.all_reduce(tensor)
        return tensor

    def shard(self, tensor: "Tensor") -> "Tensor":
        """This process's part: (world_size × n, …) -> (n, …)."""
        return tensor.chunk(self.world_size)[self.rank]

    def all_gather_shards(self, tensor: "Tensor") -> "Tensor":
        """The parts of all processes, in the order of their ranks: (n, …) -> (world_size × n, …); undoes `shard`."""
        if self.world_size == 1:
            return tensor
        import torch
        from torch import distributed

        parts = [torch.empty_like(tensor) for _ in range(self.world_size)]
        with _loss_explained():
            distributed.all_gather(parts, tensor)
        return torch.cat(parts)


_substituted: ContextVar[ProcessGroup | None] = ContextVar("process_group", default=None)


def process_group() -> ProcessGroup:
    """The group of this process as torchrun says; a group of one where nobody does."""
    if (substitute := _substituted.get()) is not None:
        return substitute
    names = ("RANK", "LOCAL_RANK", "WORLD_SIZE")
    given = "TORCHELASTIC_RUN_ID" in os.environ
    return ProcessGroup(*(int(os.environ[name]) for name in names)) if given else ProcessGroup()


@contextmanager
def substituted(group: ProcessGroup) -> Iterator[None]:
    """Another group for what this thread does: so that threads can stand for processes in a test."""
    token = _substituted.set(group)
    try:
        yield
    finally:
        _substituted.reset(token)


@contextmanager
def _loss_explained() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        # torchrun sends it to those that are left, whose last word shall be this
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        reason = re.sub(r"^\[\S+\] ", "", " ".join(str(error).split()))[:120]
        raise LostProcessError(
            f"another process of this run is gone or does not answer ({reason})"
        ) from error
