"""The processes that torchrun starts for one run: which of them this is, and how they exchange what they have.

Tensors on a GPU go by NCCL, all else by Gloo. Every process calls the same methods in the same order.
"""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from prnn_cli.errors import LostProcessError

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")

PATIENCE = timedelta(hours=1)  # with one that comes later, as it prepares data on another machine


@dataclass(frozen=True)
class Processes:
    """rank: 0 is the one that writes; local_rank: among those of this machine; number: of all"""

    rank: int = 0
    local_rank: int = 0
    number: int = 1

    @classmethod
    def of_environment(cls) -> "Processes":
        """As torchrun says; alone where nobody does."""
        names = ("RANK", "LOCAL_RANK", "WORLD_SIZE")
        return (
            cls(*(int(os.environ[name]) for name in names)) if "TORCHELASTIC_RUN_ID" in os.environ else cls()
        )

    @property
    def writes(self) -> bool:
        return self.rank == 0

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Waits until all are there."""
        if self.number == 1:
            yield
            return
        import torch
        from torch import distributed

        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        with _loss_explained():
            distributed.init_process_group(backend, timeout=PATIENCE)
        yield
        distributed.destroy_process_group()  # not after a failure: it would wait for a lost process

    def told(self, value: T) -> T:
        """What the first process says, in all of them."""
        if self.number == 1:
            return value
        from torch import distributed

        box = [value]
        with _loss_explained():
            distributed.broadcast_object_list(box, src=0, device="cpu")  # type: ignore[arg-type]
        return box[0]

    def gathered(self, value: T) -> list[T]:
        """The value of each process, in the order of their ranks."""
        if self.number == 1:
            return [value]
        from torch import distributed

        values: list[T | None] = [None] * self.number
        with _loss_explained():
            distributed.all_gather_object(values, value)
        return values  # type: ignore[return-value]

    def summed(self, tensor: "Tensor") -> "Tensor":
        """In place; the same bits in all of them."""
        if self.number > 1:
            from torch import distributed

            with _loss_explained():
                distributed.all_reduce(tensor)
        return tensor

    def own(self, tensor: "Tensor") -> "Tensor":
        """(number × n, …) of all -> (n, …) of this one."""
        return tensor.chunk(self.number)[self.rank]

    def side_by_side(self, tensor: "Tensor") -> "Tensor":
        """(n, …) of each process -> (number × n, …), in the order of their ranks: `own` undoes it."""
        if self.number == 1:
            return tensor
        import torch
        from torch import distributed

        parts = [torch.empty_like(tensor) for _ in range(self.number)]
        with _loss_explained():
            distributed.all_gather(parts, tensor)
        return torch.cat(parts)


ALONE = Processes()


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
