"""A mini-batch divided among processes: each works on its share of the slots, and what all found is added up.

Every process knows the whole mini-batch and ends each step with the same parameters, as one process would have had.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from prnn_cli.batching import Batch, Clicks, Rows
from prnn_cli.processes import Processes

Found = dict[str, Tensor]


class Share(Protocol):
    def of(self, batch: Batch) -> Batch:
        """What this process works on: N slots of its own, and all output items. The targets and the activity (S,) of
        all S slots are in it, its own ones first."""

    def added_up(self, gradients: Found, counts: Found, tables: Mapping[str, str]) -> tuple[Found, Found]:
        """Gradients by the leaves of `of(batch)`, and numbers -> those of the whole mini-batch.

        tables: those of the parameters that are tables -> whose rows of them a step reads
        """

    def wait(self) -> None:
        """For the others; raises `LostProcessError` where one is gone."""


class Whole:
    """Of a single process."""

    def of(self, batch: Batch) -> Batch:
        return batch

    def added_up(self, gradients: Found, counts: Found, tables: Mapping[str, str]) -> tuple[Found, Found]:
        return gradients, counts

    def wait(self) -> None:
        pass


WHOLE = Whole()


@dataclass(frozen=True)
class Divided:
    """One of `processes.number` equal runs of slots, one after another."""

    processes: Processes
    num_slots: int  # of all processes
    num_outputs: int
    device: torch.device

    @cached_property
    def _order(self) -> Tensor:
        """(M,) output items: the targets of the own slots, those of the slots after and before them, the negatives."""
        own_slots = self.num_slots // self.processes.number
        places = torch.arange(self.num_outputs, device=self.device)
        return torch.cat(
            [places[: self.num_slots].roll(-self.processes.rank * own_slots), places[self.num_slots :]]
        )

    @cached_property
    def _back(self) -> Tensor:
        return torch.argsort(self._order)

    def of(self, batch: Batch) -> Batch:
        own = self.processes.own
        rows = {name: Rows(*map(own, each.tensors())) for name, each in batch.clicks.rows.items()}
        clicks = Clicks(own(batch.clicks.items), rows)
        outputs = Rows(*(each.index_select(0, self._order) for each in batch.outputs.tensors()))
        active = batch.active.index_select(0, self._order[: self.num_slots])
        kept = {name: own(mask) for name, mask in batch.kept.items()}
        return Batch(clicks, outputs, own(batch.new_session), active, kept)

    def added_up(self, gradients: Found, counts: Found, tables: Mapping[str, str]) -> tuple[Found, Found]:
        """By one exchange."""
        own = {name: self._placed(each, tables.get(name)) for name, each in gradients.items()}
        own |= {name: each.to(torch.float32) for name, each in counts.items()}
        sums = self.processes.summed(torch.cat([each.flatten() for each in own.values()]))
        parts = torch.split(sums, [each.numel() for each in own.values()])
        whole = {name: part.view_as(own[name]) for name, part in zip(own, parts, strict=True)}
        counts = {name: whole[name].to(each.dtype) for name, each in counts.items()}
        return {name: whole[name] for name in gradients}, counts

    def wait(self) -> None:
        self.processes.gathered(None)

    def _placed(self, gradient: Tensor, rows: str | None) -> Tensor:
        """Where the gradient stands among those of the whole mini-batch."""
        if rows is None:
            return gradient
        if rows == "output":
            return gradient.index_select(0, self._back)
        whole = gradient.new_zeros(self.processes.number * len(gradient), *gradient.shape[1:])
        self.processes.own(whole).copy_(gradient)
        return whole
