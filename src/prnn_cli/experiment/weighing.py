"""The weights of a network's subnets in its score, chosen after training by how well they rank the validation part."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from prnn_cli.evaluation.methods import measure
from prnn_cli.evaluation.replay import evaluate_sharded
from prnn_cli.experiment.build import build_network, subnets_of
from prnn_cli.experiment.material import Material
from prnn_cli.networks.network import Network
from prnn_cli.networks.scorer import NetworkScorer
from prnn_cli.schema import TrainCommand
from prnn_cli.system.distributed import process_group
from prnn_cli.training.trainer import Trainer

log = logging.getLogger(__name__)

Measured = dict[str, list[tuple[float, float]]]  # by subnet: candidates, each with the metric that it has


@dataclass(frozen=True)
class Weights:
    """Chosen weights by subnet, and what each candidate measured beside those chosen before it; empty where none were
    chosen."""

    chosen: dict[str, float]
    measured: Measured

    @property
    def described(self) -> dict[str, Any]:
        """The part of metrics.json that says how the weights were chosen; empty where none were."""
        return {"weights": self.chosen, "weighing": self.measured} if self.chosen else {}


def chosen_weights(
    settings: TrainCommand, material: Material, trainer: Trainer, device: torch.device
) -> Weights:
    """Chooses the subnets' weights among `arch.weights`; none where there is nothing to choose, or to choose by.

    One subnet after the other, in training order, with those after it left out; the first one's stays as it is. Of
    equal candidates the first is taken.
    """
    candidates, metric, part = settings.arch.weights, settings.training.metric, material.data.validation
    if candidates is None or settings.training.select != "best" or part is None:
        return Weights({}, {})
    _, *names = subnets_of(settings)
    chosen, measured = dict.fromkeys(names, 0.0), Measured()

    def value(weights: Mapping[str, float]) -> float:
        scorer = NetworkScorer(weighted(settings, weights, material, device), trainer.state.parameters)
        ranks = evaluate_sharded(scorer, part, material.data.support, settings.evaluation, device)
        return measure(ranks, [metric], settings.evaluation.tie_break)[metric]

    for name in names:
        values = [(weight, value(chosen | {name: weight})) for weight in candidates]
        # Of the first process, as the others must weigh as it does.
        measured[name] = process_group().broadcast(values)
        chosen[name], _ = max(measured[name], key=lambda each: each[1])
        told = ", ".join(f"{weight:g}: {reached:.4f}" for weight, reached in measured[name])
        log.info("weight of %s: %g, by %s of the validation part (%s)", name, chosen[name], metric, told)
    return Weights(chosen, measured)


def weighted(
    settings: TrainCommand, weights: Mapping[str, float], material: Material, device: torch.device
) -> Network:
    """The network of the settings, but with these weights of subnets."""
    return build_network(
        with_weights(settings, weights), material.data.train.num_items, material.features, device
    )


def with_weights(settings: TrainCommand, weights: Mapping[str, float]) -> TrainCommand:
    """The settings with these weights of subnets."""
    subnets = {
        name: replace(subnet, weight=weights.get(name, subnet.weight))
        for name, subnet in settings.subnets.items()
    }
    return replace(settings, subnets=subnets)
