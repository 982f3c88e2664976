"""The settings of training.*, by which epochs are chosen: refused where they don't go together, and made out."""

from typing import Any

import numpy as np
import torch

from prnn_cli.data.prepare import PreparedData
from prnn_cli.data.sessions import Sessions
from prnn_cli.errors import UserError
from prnn_cli.evaluation.metrics import check_measured
from prnn_cli.schema import TrainCommand
from prnn_cli.system.randomness import generator_for
from prnn_cli.training.selection import Selection, selected, shortened
from prnn_cli.training.trainer import Trainer

# `auto`: rounds without a better one that end a stage.
PATIENCE = 3
# `auto`: so many events tell epochs apart …
FEWEST_EVENTS = 2_000
# … and more are ranked while that takes about a tenth of an epoch: to rank an event costs as much as there are
# candidates, and to learn from one as much as to rank it among ten times this many (compiled steps of recipe=paper,
# which are the cheapest; 100 units) …
CANDIDATES_AN_EVENT = 30
# … and, for each item that it is scored against beyond those of the batch, ten times this many: a product and two for
# its gradients, and the update of the item's row.
CANDIDATES_A_COLUMN = 0.3


def check_selection(settings: TrainCommand) -> None:
    """Raises `UserError` where epochs cannot be chosen as the settings say."""
    training = settings.training
    if training.select == "last":
        if training.refit:
            raise UserError(
                "training.refit=true trains anew for the epochs that training.select=best has chosen; add that, or "
                "leave training.refit out"
            )
        return
    if training.refit and settings.evaluation.part == "validation":
        raise UserError(
            "training.refit=true trains on the validation part too, which evaluation.part=validation ranks; leave one "
            "of them out"
        )
    check_measured("training.metric", training.metric, settings.evaluation)
    if not settings.dataset.validation_days:
        raise UserError(
            "training.select=best ranks a validation part, and there is none; set "
            "dataset.validation_days=auto for one like the test part, or a number of days"
        )
    if not settings.evaluation.each_epoch:
        raise UserError(
            "training.select=best ranks the validation part after each epoch, which evaluation.each_epoch=false "
            "forbids; leave one of them out"
        )
    patience = training.patience
    if isinstance(patience, int) and patience > settings.epochs:
        raise UserError(
            f"training.patience={patience} is more than the {settings.epochs} epochs that are trained at most (epochs, "
            "or training.most_epochs with epochs=auto); give no more than these"
        )


def selection_of(settings: TrainCommand) -> Selection | None:
    """How a run chooses its epochs; None where the last ones are kept."""
    training = settings.training
    if training.select == "last":
        return None
    patience = min(PATIENCE, settings.epochs) if training.patience == "auto" else training.patience
    return Selection(training.metric, patience)


def sessions_to_validate(settings: TrainCommand, data: PreparedData) -> Sessions | None:
    """The sessions that are ranked after each epoch: of the validation part all, or, where they choose the epochs, so
    many as training.validation_events says; None without a validation part or evaluation.each_epoch.

    Raises `UserError` where these are too few to choose by.
    """
    part = data.validation
    if part is None or not settings.evaluation.each_epoch:
        return None
    if settings.training.select == "last":
        return part
    most = settings.training.validation_events
    if most == "auto":
        most = affordable_events(settings, data)
    drawn = part if most == "all" else drawn_sessions(part, most)
    if drawn.num_ranked < (fewest := min(settings.dataset.min_ranked_events, part.num_ranked)):
        raise UserError(
            f"training.validation_events={most} would have {drawn.num_ranked} events choose the epochs; give all, or a "
            f"number well above dataset.min_ranked_events={fewest}"
        )
    return drawn


def affordable_events(settings: TrainCommand, data: PreparedData) -> int:
    """The number of events whose ranking costs about a tenth of an epoch, but no fewer than tell epochs apart."""
    num_items, most = len(data.item_ids), settings.evaluation.candidates
    candidates = num_items if most == "all" else min(num_items, most)
    further_columns = settings.recipe.num_columns(num_items) - settings.recipe.batch_size
    as_cheap = CANDIDATES_AN_EVENT + CANDIDATES_A_COLUMN * max(0, further_columns)
    return max(FEWEST_EVENTS, round(data.train.num_ranked * as_cheap / candidates))


def drawn_sessions(sessions: Sessions, most: int) -> Sessions:
    """Sessions drawn at random with up to `most` ranked events, but at least one; the same for every run."""
    order = torch.randperm(sessions.num_sessions, generator=generator_for("validation")).numpy()
    ranked = np.cumsum(sessions.num_ranked_each[order])
    number = max(1, int(np.searchsorted(ranked, most, side="right")))
    return sessions.subset(np.sort(order[:number]))


def description_of_selecting(settings: TrainCommand, data: PreparedData, trainer: Trainer) -> dict[str, Any]:
    """The part of metrics.json that says how the epochs were chosen; empty where the last ones are kept."""
    sessions, history, phases = sessions_to_validate(settings, data), trainer.state.history, trainer.phases
    if settings.training.select == "last" or sessions is None or data.validation is None:
        return {}
    trained = [number for number, _ in selected(None, phases, history)]
    return {
        "validation": {"events": sessions.num_ranked, "of": data.validation.num_ranked},
        "selecting": trainer.state.totals() | trainer.length(shortened(phases, trained)),
    }
