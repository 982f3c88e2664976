"""Data parallelism: each process works on its shard of a mini-batch's slots, and what all found is summed.

Every process knows the whole mini-batch and ends each step with the same parameters, which are, up to rounding, those
that a single process would have ended with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from prnn_cli.batching import OUTPUT, TIED, Batch
from prnn_cli.system.distributed import ProcessGroup
from prnn_cli.system.tree import map_tensors

T = TypeVar("T")
Found = dict[str, Tensor]  # by name, what a process found on its shard


class Sharding(Protocol):
    """How the slots of a mini-batch are divided among the processes of a run, and what they found is put together.

    Shapes: S slots in all, N = S / processes of them in a shard, M output items: S targets, then the negatives.
    """

    def shard(self, batch: Batch) -> Batch:
        """What this process works on: the clicks, resets and masks of its N slots, and all M output items.

        All M, as each slot's negatives are the targets of all others. Those of its own slots come first, as a slot's
        target has to stand in the column of its number, and `active` (S,) is in the same order.
        """

    def all_reduce(self, gradients: Found, counts: Found, tables: Mapping[str, str]) -> tuple[Found, Found]:
        """The gradients and counts of the whole mini-batch: sums of those that each process found on its shard.

        gradients: by parameter; of a table those of the rows that the shard touches
        tables: the parameters that are tables, each with the kind of rows that a step touches (`Batch.rows`)
        """

    def wait(self) -> None:
        """Waits for the other processes. Raises `LostProcessError` where one is gone."""


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
    """The sharding among several processes: equal runs of slots, one after another, in the order of the ranks."""

    group: ProcessGroup
    num_slots: int  # of all processes
    num_outputs: int
    device: torch.device

    @cached_property
    def _order(self) -> Tensor:
        """Where each output item of the shard stands in the mini-batch, (M,): the targets of the own slots, those of
        the slots after and before them, the negatives."""
        own_slots = self.num_slots // self.group.world_size
        places = torch.arange(self.num_outputs, device=self.device)
        return torch.cat(
            [places[: self.num_slots].roll(-self.group.rank * own_slots), places[self.num_slots :]]
        )

    @cached_property
    def _back(self) -> Tensor:
        """Where each output item of the mini-batch stands in the shard, (M,)."""
        return torch.argsort(self._order)

    def shard(self, batch: Batch) -> Batch:
        own = self.group.shard

        def ordered(tree: T) -> T:
            return map_tensors(lambda each: each.index_select(0, self._order), tree)

        return Batch(
            clicks=map_tensors(own, batch.clicks),
            outputs=ordered(batch.outputs),
            new_session=own(batch.new_session),
            active=batch.active.index_select(0, self._order[: self.num_slots]),
            keep_masks=map_tensors(own, batch.keep_masks),
            correction=ordered(batch.correction),
            targets=map_tensors(own, batch.targets),
            tied=map_tensors(self._own_of_tied, batch.tied),
        )

    def all_reduce(self, gradients: Found, counts: Found, tables: Mapping[str, str]) -> tuple[Found, Found]:
        """See `Sharding`. All is sent in one exchange, as each takes a round trip."""
        own = {name: self._placed(each, tables.get(name)) for name, each in gradients.items()}
        # Whole numbers up to 2^24 are exact in float32.
        own |= {name: each.to(torch.float32) for name, each in counts.items()}
        sums = self.group.all_reduce(torch.cat([each.flatten() for each in own.values()]))
        parts = torch.split(sums, [each.numel() for each in own.values()])
        whole = {name: part.view_as(own[name]) for name, part in zip(own, parts, strict=True)}
        counts = {name: whole[name].to(each.dtype) for name, each in counts.items()}
        return {name: whole[name] for name in gradients}, counts

    def wait(self) -> None:
        self.group.all_gather(None)

    def _own_of_tied(self, rows: Tensor) -> Tensor:
        """Of the rows of all outputs and all clicks, those of the outputs and the own clicks."""
        outputs, clicks = rows.tensor_split([self.num_outputs])
        return torch.cat([outputs.index_select(0, self._order), self.group.shard(clicks)])

    def _placed(self, gradient: Tensor, rows: str | None) -> Tensor:
        """The gradient where it belongs in that of the whole mini-batch, whose other rows are 0.

        `rows`: the kind of the parameter's rows that a step touches; None where it is no table.
        """
        if rows is None:
            return gradient
        if rows == OUTPUT:
            return gradient.index_select(0, self._back)
        if rows == TIED:
            of_outputs, of_clicks = gradient.tensor_split([self.num_outputs])
            return torch.cat([of_outputs.index_select(0, self._back), self._among_all(of_clicks)])
        return self._among_all(gradient)

    def _among_all(self, gradient: Tensor) -> Tensor:
        """The gradient of the own clicks among those of all, which are 0."""
        whole = gradient.new_zeros(self.group.world_size * len(gradient), *gradient.shape[1:])
        self.group.shard(whole).copy_(gradient)
        return whole
