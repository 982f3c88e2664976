"""The weights of a network's subnets in its score, chosen after training by how well they rank the validation part."""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from prnn_cli.data.prepare import PreparedData
from prnn_cli.errors import UserError
from prnn_cli.evaluation.methods import measure
from prnn_cli.evaluation.metrics import check_measured
from prnn_cli.evaluation.replay import evaluate_sharded
from prnn_cli.experiment.build import own_weights, subnets_of, weighted
from prnn_cli.networks.network import Network
from prnn_cli.networks.scorer import NetworkScorer
from prnn_cli.schema import TrainCommand
from prnn_cli.system.distributed import process_group
from prnn_cli.training.trainer import Trainer

log = logging.getLogger(__name__)

Measured = dict[str, list[tuple[float, float]]]  # by subnet: candidates, each with the metric that it has


@dataclass(frozen=True)
class Weights:
    """Chosen weights by subnet, and what each candidate measured; empty where none were chosen."""

    chosen: dict[str, float]
    measured: Measured

    @property
    def described(self) -> dict[str, Any]:
        """The part of metrics.json that says how the weights were chosen; empty where none were."""
        return {"weights": self.chosen, "weighing": self.measured} if self.chosen else {}


def check_weights(settings: TrainCommand) -> None:
    """Raises `UserError` for candidates that cannot be weights, or that there is nothing to choose for."""
    weights = settings.arch.weights
    if weights is None:
        return
    if len(subnets_of(settings)) == 1:
        raise UserError(
            f"arch.weights={weights}: arch={settings.arch.name} has one subnet, so no weight to choose; set it to null"
        )
    if not weights or not all(math.isfinite(weight) and weight >= 0 for weight in weights):
        raise UserError(
            f"arch.weights={weights} must hold weights to choose from, numbers of 0 or more, such as [0,0.5,1]; or null"
        )
    check_measured("training.metric", settings.training.metric, settings.evaluation)


def warn_of_no_choice(settings: TrainCommand) -> None:
    """Warns where the candidates are left alone for want of a validation part."""
    if settings.arch.weights is not None and not settings.dataset.validation_days:
        told = ", ".join(f"{name} {weight:g}" for name, weight in own_weights(settings).items())
        log.warning(
            "arch.weights are chosen on a validation part, and there is none: the subnets count as subnets.NAME.weight "
            "says (%s); set dataset.validation_days=auto, or epochs=auto",
            told,
        )


def chosen_weights(
    settings: TrainCommand, data: PreparedData, trainer: Trainer, device: torch.device
) -> Weights:
    """Chooses the subnets' weights among `arch.weights`; none where there is nothing to choose, or to choose by.

    One subnet after the other, in training order, each beside the weights that the others have so far; the first one's
    stays as it is. Of equal candidates the first is taken.
    """
    candidates, metric, part = settings.arch.weights, settings.training.metric, data.validation
    if candidates is None or part is None:
        return Weights({}, {})
    _, *names = subnets_of(settings)
    chosen, measured = own_weights(settings), Measured()

    def value(weights: Mapping[str, float]) -> float:
        scorer = NetworkScorer(weighted(trainer.network, settings, weights), trainer.state.parameters)
        ranks = evaluate_sharded(scorer, part, data.support, settings.evaluation, device)
        return measure(ranks, [metric], settings.evaluation.tie_break)[metric]

    for name in names:
        values = [(weight, value(chosen | {name: weight})) for weight in candidates]
        # Of the first process, as the others must weigh as it does.
        measured[name] = process_group().broadcast(values)
        chosen[name], _ = max(measured[name], key=lambda each: each[1])
        told = ", ".join(f"{weight:g}: {reached:.4f}" for weight, reached in measured[name])
        log.info("weight of %s: %g, by %s of the validation part (%s)", name, chosen[name], metric, told)
    return Weights({name: chosen[name] for name in names}, measured)


def final_network(settings: TrainCommand, trainer: Trainer, weights: Mapping[str, float]) -> Network:
    """The network that was trained, with the chosen weights; those of the other subnets are their own."""
    return weighted(trainer.network, settings, own_weights(settings) | dict(weights))
