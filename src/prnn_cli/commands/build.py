"""Configuration and data -> the network, and all that trains it."""

import torch

from prnn_cli.batching import SessionParallelPlan
from prnn_cli.data.prepare import PreparedData
from prnn_cli.errors import UserError
from prnn_cli.networks.inputs import Input, OneHot
from prnn_cli.networks.network import Network
from prnn_cli.networks.readouts import Separate
from prnn_cli.networks.subnet import Subnet
from prnn_cli.schema import SubnetConfig, TrainCommand
from prnn_cli.training import losses, strategies
from prnn_cli.training.negatives import NegativeSampler
from prnn_cli.training.optim import LearningSettings
from prnn_cli.training.state import TrainState
from prnn_cli.training.strategies import Phase
from prnn_cli.training.ticks import DropoutSpec, TickMaker
from prnn_cli.training.trainer import Trainer


def build_trainer(config: TrainCommand, data: PreparedData, device: torch.device) -> Trainer:
    recipe = config.recipe
    network = build_network(config, data.train.num_items)
    settings = learning_settings(config)
    plan = SessionParallelPlan.build(data.train, recipe.batch_size)
    sampler = NegativeSampler(data.support, recipe.sample_alpha, recipe.num_sampled, device)
    dropout = {
        name: DropoutSpec(subnet.dropout, subnet.hidden_size) for name, subnet in config.subnets.items()
    }
    return Trainer(
        network=network,
        loss=getattr(losses, recipe.loss),
        settings=settings,
        phases=schedule(config),
        ticks=TickMaker(plan, sampler, dropout, config.seed, device),
        state=TrainState.initial(network, settings, recipe.batch_size, config.seed, device),
    )


def build_network(config: TrainCommand, num_items: int) -> Network:
    inputs: dict[str, Input] = {"id": OneHot(num_items)}
    subnets = tuple(_subnet(name, subnet, inputs) for name, subnet in config.subnets.items())
    return Network(subnets, Separate(subnets, num_items), config.recipe.activation)


def _subnet(name: str, config: SubnetConfig, inputs: dict[str, Input]) -> Subnet:
    unknown = [source for source in config.inputs if source not in inputs]
    if unknown or not config.inputs:
        raise UserError(
            f"subnets.{name}.inputs={config.inputs} names no input; choose from {', '.join(inputs)}"
        )
    return Subnet(name, tuple(inputs[source] for source in config.inputs), config.hidden_size, config.weight)


def learning_settings(config: TrainCommand) -> dict[str, LearningSettings]:
    """By subnet."""
    return {
        name: LearningSettings(subnet.learning_rate, subnet.momentum)
        for name, subnet in config.subnets.items()
    }


def schedule(config: TrainCommand) -> list[Phase]:
    phases: list[Phase] = getattr(strategies, config.strategy.name)(tuple(config.subnets), config.epochs)
    return phases
