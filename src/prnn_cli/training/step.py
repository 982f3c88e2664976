"""The step: one mini-batch, one update after the other. The definition that every faster path must equal."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from prnn_cli.batching import Batch
from prnn_cli.networks.network import Network
from prnn_cli.training.losses import active_columns
from prnn_cli.training.optim import LearningSettings, update_dense, update_rows
from prnn_cli.training.state import TrainState
from prnn_cli.training.strategies import Phase, Update

Loss = Callable[[Tensor, Tensor], Tensor]


def train_step(
    network: Network,
    loss_of: Loss,
    settings: Mapping[str, LearningSettings],
    state: TrainState,
    batch: Batch,
    phase: Phase,
) -> None:
    """Changes `state` in place. All updates start from the same carried state; a subnet's new state is the one
    of the last update in which it scored. All changes are in place, and nothing here waits for the device: so the
    step can be traced, compiled and captured as it stands."""
    new_carry: dict[str, Tensor] = {}
    for update in phase.updates:
        leaves = gather(network, state.parameters, batch, update)
        scores, hidden = forward(network, leaves, state.carry, batch, update)
        losses = loss_of(scores, batch.active)
        apply_gradients(network, settings, state, batch, leaves, update, losses.sum() / len(losses))
        new_carry |= {name: value.detach() for name, value in hidden.items()}
        count(state.tally, losses.detach(), scores.detach(), batch.active)
    for name, value in new_carry.items():
        state.carry[name].copy_(value)
    state.tally["steps"] += 1


def gather(
    network: Network, parameters: Mapping[str, Tensor], batch: Batch, update: Update
) -> dict[str, Tensor]:
    """The dense parameters and the touched rows of the tables, as leaves to differentiate by."""
    leaves = {}
    for name, value in parameters.items():
        if network.takes_part(name, update.scores):
            table = network.row_tables.get(name)
            leaf = value.index_select(0, batch.rows(table).index) if table else value.detach()
            leaves[name] = leaf.requires_grad_(network.takes_part(name, update.learns))
    return leaves


def forward(
    network: Network, leaves: Mapping[str, Tensor], carry: Mapping[str, Tensor], batch: Batch, update: Update
) -> tuple[Tensor, dict[str, Tensor]]:
    """Pure: scores (B, M) of the batch's output items, and the new hidden state (B, H) of each scoring subnet.

    The carried state is a constant: nothing is propagated back through time (as in the reference code)."""
    scoring = {name: carry[name] for name in update.scores}
    kept = {name: mask for name, mask in batch.kept.items() if name in update.learns}
    hidden = network.advance(leaves, scoring, batch.clicks, batch.new_session, kept)
    return network.scores(leaves, hidden), hidden


def apply_gradients(
    network: Network,
    settings: Mapping[str, LearningSettings],
    state: TrainState,
    batch: Batch,
    leaves: Mapping[str, Tensor],
    update: Update,
    loss: Tensor,
) -> None:
    learning = [name for name, leaf in leaves.items() if leaf.requires_grad]
    gradients = torch.autograd.grad(loss, [leaves[name] for name in learning])
    for name, gradient in zip(learning, gradients, strict=True):
        table = network.row_tables.get(name)
        group = settings[network.learning_group(name)]
        if table:
            update_rows(state.slot(name), batch.rows(table), gradient, group)
        else:
            update_dense(state.slot(name), gradient, group)


def count(tally: dict[str, Tensor], losses: Tensor, scores: Tensor, active: Tensor) -> None:
    """Adds a step to the epoch's sums, on the device."""
    total = losses.sum()
    used = active[:, None] & active_columns(active, scores.shape[1]).bool()
    tally["loss"] += total
    tally["saturated"] += (used & (scores.abs() > 0.999)).sum()
    bad = torch.isfinite(total).logical_not_()
    tally["first_bad_step"].copy_(
        torch.where(bad, torch.minimum(tally["first_bad_step"], tally["steps"]), tally["first_bad_step"])
    )
