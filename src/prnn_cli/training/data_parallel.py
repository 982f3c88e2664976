"""A mini-batch sharded among processes: each works on its shard of the slots, and what all found is summed.

Every process knows the whole mini-batch and ends each step with the same parameters, as one process would have had.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from prnn_cli.batching import Batch
from prnn_cli.system.distributed import ProcessGroup
from prnn_cli.system.tree import map_tensors

Found = dict[str, Tensor]


class Sharding(Protocol):
    def shard(self, batch: Batch) -> Batch:
        """What this process works on: N slots of its own, and all output items. The targets and the activity (S,) of
        all S slots are in it, its own ones first."""

    def all_reduce(self, gradients: Found, counts: Found, tables: Mapping[str, str]) -> tuple[Found, Found]:
        """Gradients by the leaves of `shard(batch)`, and numbers -> those of the whole mini-batch.

        tables: those of the parameters that are tables -> whose rows of them a step reads
        """

    def wait(self) -> None:
        """For the others; raises `LostProcessError` where one is gone."""


class Unsharded:
    """The sharding of a single process, which has the mini-batch whole."""

    def shard(self, batch: Batch) -> Batch:
        return batch

    def all_reduce(self, gradients: Found, counts: Found, tables: Mapping[str, str]) -> tuple[Found, Found]:
        return gradients, counts

    def wait(self) -> None:
        pass


UNSHARDED = Unsharded()


@dataclass(frozen=True)
class Sharded:
    """The sharding of several: equal runs of slots, one after another, in the order of the ranks."""

    group: ProcessGroup
    num_slots: int  # of all processes
    num_outputs: int
    device: torch.device

    @cached_property
    def _order(self) -> Tensor:
        """(M,) output items: the targets of the own slots, those of the slots after and before them, the negatives."""
        own_slots = self.num_slots // self.group.world_size
        places = torch.arange(self.num_outputs, device=self.device)
        return torch.cat(
            [places[: self.num_slots].roll(-self.group.rank * own_slots), places[self.num_slots :]]
        )

    @cached_property
    def _back(self) -> Tensor:
        return torch.argsort(self._order)

    def shard(self, batch: Batch) -> Batch:
        own = self.group.shard
        return Batch(
            clicks=map_tensors(own, batch.clicks),
            outputs=map_tensors(lambda each: each.index_select(0, self._order), batch.outputs),
            new_session=own(batch.new_session),
            active=batch.active.index_select(0, self._order[: self.num_slots]),
            keep_masks=map_tensors(own, batch.keep_masks),
        )

    def all_reduce(self, gradients: Found, counts: Found, tables: Mapping[str, str]) -> tuple[Found, Found]:
        """The sums over all processes, by one exchange."""
        own = {name: self._placed(each, tables.get(name)) for name, each in gradients.items()}
        own |= {name: each.to(torch.float32) for name, each in counts.items()}
        sums = self.group.all_reduce(torch.cat([each.flatten() for each in own.values()]))
        parts = torch.split(sums, [each.numel() for each in own.values()])
        whole = {name: part.view_as(own[name]) for name, part in zip(own, parts, strict=True)}
        counts = {name: whole[name].to(each.dtype) for name, each in counts.items()}
        return {name: whole[name] for name in gradients}, counts

    def wait(self) -> None:
        self.group.all_gather(None)

    def _placed(self, gradient: Tensor, rows: str | None) -> Tensor:
        """Where the gradient stands among those of the whole mini-batch."""
        if rows is None:
            return gradient
        if rows == "output":
            return gradient.index_select(0, self._back)
        whole = gradient.new_zeros(self.group.world_size * len(gradient), *gradient.shape[1:])
        self.group.shard(whole).copy_(gradient)
        return whole
