"""The step: what training does with one mini-batch, one update after the other. Every executor must equal it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from prnn_cli.batching import Batch, TableRows
from prnn_cli.networks.network import Network
from prnn_cli.networks.standing import fill, with_standing
from prnn_cli.training.data_parallel import UNSHARDED, Sharding
from prnn_cli.training.losses import active_columns
from prnn_cli.training.optim import LearningSettings, update_dense, update_rows
from prnn_cli.training.state import TrainState
from prnn_cli.training.strategies import Phase, Update

Loss = Callable[..., Tensor]


@dataclass(frozen=True)
class Step:
    """A training step: what it computes, whoever executes it (`executors.py`).

    settings: by learning group (`Network.learning_group`)
    fed_by: tables (N, 3H) of subnets that stand still in some phases, by name, which `begin_epoch` fills
    """

    network: Network
    loss_of: Loss
    settings: Mapping[str, LearningSettings]
    sharding: Sharding = UNSHARDED
    fed_by: Mapping[str, Tensor] = field(default_factory=dict)

    def begin_epoch(self, state: TrainState, phase: Phase) -> None:
        """Prepares for steps of a phase, in which the subnets that do not learn stay as they now are."""
        fill(self._standing(phase), self.network, state.parameters)

    def network_in(self, phase: Phase) -> Network:
        """The network as a phase sees it."""
        return with_standing(self.network, self._standing(phase))

    def _standing(self, phase: Phase) -> dict[str, Tensor]:
        return {name: self.fed_by[name] for name in phase.standing if name in self.fed_by}

    def __call__(self, state: TrainState, batch: Batch, phase: Phase) -> None:
        """Takes the phase's updates for one mini-batch, changing `state` in place.

        All updates start from the same carried state; a subnet's new state is the one of the last update in which it
        scored. Nothing here waits for the device or replaces a tensor, so that the step can be traced, compiled and
        captured as it stands.
        """
        network = self.network_in(phase)
        new_carry: dict[str, Tensor] = {}
        own = self.sharding.shard(batch)
        for update in phase.updates:
            leaves = gather(network, state.parameters, own, update)
            scores, hidden = forward(network, leaves, state.carry, own, update)
            losses = self.loss_of(scores, own.active, **given_to_loss(own))
            # Divided by the number of all slots, not of the active ones, as in the reference code: where sessions run
            # out at the end of an epoch, a step shrinks with the number of events that it is made of.
            gradients = gradients_of(losses.sum() / len(own.active), leaves)
            counts = counted(losses.detach(), scores.detach(), own)
            gradients, counts = self.sharding.all_reduce(gradients, counts, touched_tables(network, batch))
            apply_gradients(network, self.settings, state, batch, gradients)
            new_carry |= {name: value.detach() for name, value in hidden.items()}
            count(state.tally, counts)
        for name, value in new_carry.items():
            state.carry[name].copy_(value)
        state.tally["steps"] += 1

    def loss_of_nothing(self, batch: Batch) -> float:
        """The mean loss of a whole mini-batch where all scores are 0, as those of an untrained network nearly are."""
        num_outputs = self.network.num_items if batch.outputs is None else len(batch.outputs.index)
        scores = batch.active.new_zeros(len(batch.active), num_outputs)
        losses = self.loss_of(scores, batch.active, **given_to_loss(batch))
        return float(losses.sum() / batch.active.sum())


def given_to_loss(batch: Batch) -> dict[str, Tensor]:
    """What the loss is given beside scores and active slots: what more the mini-batch holds for it (`losses.py`)."""
    more = {"targets": batch.targets, "correction": batch.correction}
    return {name: value for name, value in more.items() if value is not None}


def touched_tables(network: Network, batch: Batch) -> dict[str, str]:
    """The tables of which the step touches some rows alone, each with the kind of these rows."""
    return {name: kind for name, kind in network.row_tables.items() if batch.rows(kind) is not None}


def gather(
    network: Network, parameters: Mapping[str, Tensor], batch: Batch, update: Update
) -> dict[str, Tensor]:
    """The dense parameters and the touched rows of the tables, as leaves to differentiate by."""
    leaves = {}
    for name, value in parameters.items():
        if network.takes_part(name, update.scores):
            rows = rows_of(network, batch, name)
            leaf = value.detach() if rows is None else value.index_select(0, rows.index)
            leaves[name] = leaf.requires_grad_(network.takes_part(name, update.learns))
    return leaves


def forward(
    network: Network, leaves: Mapping[str, Tensor], carry: Mapping[str, Tensor], batch: Batch, update: Update
) -> tuple[Tensor, dict[str, Tensor]]:
    """The scores (B, M) of the batch's output items, and the new hidden state (B, H) of each scoring subnet.

    A pure function, but that the carried state is a constant: gradients end at this step's click and are not
    propagated back through time, as in the reference code. So a step needs nothing of the steps before it but the
    state, however long a session is.
    """
    leaves = network.with_clicked_rows(leaves, batch.clicks, whole=batch.outputs is None)
    scoring = {name: carry[name] for name in update.scores}
    keep_masks = {
        name: mask for name, mask in batch.keep_masks.items() if name.split(".")[0] in update.learns
    }
    hidden = network.advance(leaves, scoring, batch.clicks, batch.new_session, keep_masks)
    return network.scores(leaves, hidden), hidden


def gradients_of(loss: Tensor, leaves: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The gradients of a loss by those of the leaves that learn."""
    learning = {name: leaf for name, leaf in leaves.items() if leaf.requires_grad}
    gradients = torch.autograd.grad(loss, list(learning.values()))
    return dict(zip(learning, gradients, strict=True))


def apply_gradients(
    network: Network,
    settings: Mapping[str, LearningSettings],
    state: TrainState,
    batch: Batch,
    gradients: Mapping[str, Tensor],
) -> None:
    """Takes the optimiser's step of each parameter with a gradient: of tables, the rows that the batch touches."""
    for name, gradient in gradients.items():
        rows = rows_of(network, batch, name)
        group = settings[network.learning_group(name)]
        if rows is None:
            update_dense(state.parameter_state(name), gradient, group)
        else:
            update_rows(state.parameter_state(name), rows, gradient, group)


def rows_of(network: Network, batch: Batch, parameter: str) -> TableRows | None:
    """The rows of a parameter that the step touches; None where it is no table, or touched as a whole."""
    kind = network.row_tables.get(parameter)
    return None if kind is None else batch.rows(kind)


def counted(losses: Tensor, scores: Tensor, batch: Batch) -> dict[str, Tensor]:
    """A mini-batch's sums: the loss, and the number of saturated scores (beyond ±0.999), without idle slots."""
    # Summed as floats, as loops over bool are not vectorised; whole numbers up to 2^24, of scores, are exact.
    columns = active_columns(batch.active, scores.shape[1], batch.targets)
    used = batch.active[: len(scores), None] * columns
    return {"loss": losses.sum(), "saturated": torch.where(scores.abs() > 0.999, used, 0).sum().long()}


def count(tally: dict[str, Tensor], counts: Mapping[str, Tensor]) -> None:
    """Adds an update to the epoch's tally, on the device."""
    tally["loss"] += counts["loss"]
    tally["saturated"] += counts["saturated"]
    bad = torch.isfinite(counts["loss"]).logical_not_()
    tally["first_bad_step"].copy_(
        torch.where(bad, torch.minimum(tally["first_bad_step"], tally["steps"]), tally["first_bad_step"])
    )
