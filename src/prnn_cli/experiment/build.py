"""Configuration and data -> the network, and all that trains it."""

import inspect
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from prnn_cli.batching import training_plan
from prnn_cli.data.prepare import PreparedData
from prnn_cli.errors import UserError
from prnn_cli.evaluation.metrics import check_metrics, measured_metrics
from prnn_cli.extensions import bound, chosen
from prnn_cli.features.extract import check_features, extract
from prnn_cli.features.table import FeatureTable
from prnn_cli.networks.architectures import ID, subnet_inputs
from prnn_cli.networks.inputs import VECTORS, Dense, Embedded, FineTuned, Input, OneHot, Sparse
from prnn_cli.networks.network import Network
from prnn_cli.networks.readouts import SHARED, Readout
from prnn_cli.networks.row_readers import TermRows
from prnn_cli.networks.subnet import Subnet
from prnn_cli.schema import FeaturesConfig, RecipeConfig, SubnetConfig, TrainCommand
from prnn_cli.system.distributed import process_group
from prnn_cli.training.data_parallel import UNSHARDED, Sharded
from prnn_cli.training.executors import choose_executor, executor_of
from prnn_cli.training.negatives import NegativeSampler
from prnn_cli.training.optim import LearningSettings
from prnn_cli.training.state import TrainState
from prnn_cli.training.step import Loss, Step
from prnn_cli.training.strategies import Phase
from prnn_cli.training.ticks import TickMaker
from prnn_cli.training.trainer import Trainer


def check_combination(config: TrainCommand) -> None:
    """Raises `UserError` for an architecture, features and a strategy that don't go together."""
    inputs = subnets_of(config)
    check_metrics(config.evaluation.metrics)
    if config.table.gain_over not in (None, "id_only"):
        chosen("BASELINES", config.table.gain_over, "table.gain_over")
    if config.search is not None and config.search.metric not in (
        measured := measured_metrics(config.evaluation)
    ):
        raise UserError(
            f"search.metric={config.search.metric} is not measured; choose one of {', '.join(measured)}, or add to "
            "evaluation.metrics and evaluation.cutoffs"
        )
    check_features(features_used(config), config.dataset)
    arch = config.arch.name
    for name, sources in inputs.items():
        if name not in config.subnets:
            raise UserError(f"subnets.{name} has no settings; add +subnet@subnets.{name}=default")
        made = {config.features.sources.get(source, ID) for source in sources}
        if config.subnets[name].fine_tuning_rate > 0 and made <= {ID, "tfidf"}:
            raise UserError(
                f"subnets.{name}.fine_tuning_rate={config.subnets[name].fine_tuning_rate:g}: only dense item vectors "
                f"(of images, or precomputed) can be tuned, and {name} is fed none; leave it at 0"
            )
    if len(inputs) == 1 and config.strategy.name != "simultaneous":
        raise UserError(
            f"arch={arch} has one subnet, so strategy={config.strategy.name} has nothing to take turns with; "
            "leave strategy out, or choose arch=parallel, shared_w or interaction"
        )
    sizes = {name: config.subnets[name].hidden_size for name in inputs}
    if config.arch.readout != "separate" and len(set(sizes.values())) > 1:
        stated = ", ".join(f"subnets.{name}.hidden_size={size}" for name, size in sizes.items())
        raise UserError(f"arch={arch} needs equal hidden sizes, not {stated}")
    if config.arch.readout == "interaction" and next(iter(inputs)) != ID:
        raise UserError(f"arch={arch} multiplies with the ID's subnet, so arch.order must begin with {ID}")


def subnets_of(config: TrainCommand) -> dict[str, list[str]]:
    arch = config.arch
    return subnet_inputs(arch.name, arch.subnets, list(config.features.sources), arch.order)


def features_used(config: TrainCommand) -> FeaturesConfig:
    """Without the sources that the architecture leaves alone."""
    used = {source for sources in subnets_of(config).values() for source in sources}
    sources = {name: how for name, how in config.features.sources.items() if name in used}
    return replace(config.features, sources=sources)


def extract_used(config: TrainCommand, data: PreparedData, device: torch.device) -> dict[str, FeatureTable]:
    return extract(features_used(config), config.dataset, data, Path(config.cache_dir), device)


def build_trainer(
    config: TrainCommand,
    data: PreparedData,
    features: Mapping[str, FeatureTable],
    device: torch.device,
    state: TrainState | None = None,
    executor: str | None = None,
) -> Trainer:
    """`state` and the name of the `executor` are those of a run that goes on; None begins one."""
    recipe, world_size = config.recipe, process_group().world_size
    network = build_network(config, data.train.num_items, features, device)
    settings = learning_settings(config)
    plan = training_plan(data, recipe.batch_size, Path(config.cache_dir))
    sampler = NegativeSampler(data.support, recipe.sample_alpha, recipe.num_sampled, device)
    ticks = TickMaker(network, plan, sampler, config.seed, device, world_size)
    if ticks.num_updating_steps == 0:
        raise UserError(
            "no mini-batch has two active slots, so no target has a negative; set recipe.num_sampled, such as 100"
        )
    phases = schedule(config, config.epochs)
    updates = ticks.num_updating_steps * sum(phase.epochs * len(phase.updates) for phase in phases)
    if world_size > 1:
        executor = "eager"  # what the processes exchange stands in the middle of a step
    executor = executor or choose_executor(
        config.hardware, device, updates, multiplications_per_batch(config)
    )
    num_outputs = recipe.batch_size + recipe.num_sampled
    sharding = (
        Sharded(process_group(), recipe.batch_size, num_outputs, device) if world_size > 1 else UNSHARDED
    )
    own_slots = recipe.batch_size // world_size
    return Trainer(
        network=network,
        executor=executor_of(executor, Step(network, build_loss(recipe), settings, sharding)),
        phases=phases,
        ticks=ticks,
        state=state or TrainState.initial(network, settings, own_slots, config.seed, device),
    )


def check_divisible(batch_size: int) -> None:
    """Raises `UserError` where the processes of a run cannot have equally many slots."""
    world_size = process_group().world_size
    if batch_size % world_size:
        near = max(1, round(batch_size / world_size)) * world_size
        raise UserError(
            f"recipe.batch_size={batch_size} cannot be divided among {world_size} processes; give a multiple of "
            f"{world_size}, such as {near}"
        )


def build_network(
    config: TrainCommand, num_items: int, features: Mapping[str, FeatureTable], device: torch.device
) -> Network:
    inputs: dict[str, Input] = {ID: OneHot(num_items)}
    inputs |= {name: feature_input(name, table, device) for name, table in features.items()}
    subnets = tuple(
        build_subnet(name, config.subnets[name], [inputs[source] for source in sources])
        for name, sources in subnets_of(config).items()
    )
    return Network(subnets, readout_of(config, subnets), config.recipe.activation, num_items)


def readout_of(config: TrainCommand, subnets: tuple[Subnet, ...]) -> Readout:
    entry = chosen("READOUTS", config.arch.readout, "arch.readout")
    readout: Readout = bound(entry, config.arch.options)(subnets)
    return readout


def build_subnet(name: str, config: SubnetConfig, inputs: list[Input]) -> Subnet:
    if config.fine_tuning_rate > 0:
        inputs = [
            FineTuned(source.name, source.vectors) if isinstance(source, Dense) else source
            for source in inputs
        ]
    if config.embedding_size is not None:
        inputs = [Embedded(source, config.embedding_size) for source in inputs]
    return Subnet(name, tuple(inputs), config.hidden_size, config.weight, config.dropout)


def feature_input(name: str, table: FeatureTable, device: torch.device) -> Input:
    if isinstance(table.vectors, np.ndarray):
        return Dense(name, torch.from_numpy(table.vectors).to(device))
    matrix = table.vectors
    terms = TermRows(
        name,
        starts=torch.from_numpy(matrix.indptr.astype(np.int64)).to(device),
        columns=torch.from_numpy(matrix.indices.astype(np.int64)).to(device),
        weights=torch.from_numpy(matrix.data.astype(np.float32)).to(device),
        num_columns=matrix.shape[1],
    )
    return Sparse(terms)


def multiplications_per_batch(config: TrainCommand) -> int:
    """Of the recurrent and the output products; inputs are gathers, or small."""
    batch_size, num_columns = config.recipe.batch_size, config.recipe.batch_size + config.recipe.num_sampled
    sizes = [config.subnets[name].hidden_size for name in subnets_of(config)]
    return batch_size * sum(size * (3 * size + num_columns) for size in sizes)


def learning_settings(config: TrainCommand) -> dict[str, LearningSettings]:
    """By subnet, for the item vectors of each, and for what they share."""
    groups = {SHARED: LearningSettings(config.output.learning_rate, config.output.momentum)}
    for name in subnets_of(config):
        subnet = config.subnets[name]
        groups[name] = LearningSettings(subnet.learning_rate, subnet.momentum)
        groups[name + VECTORS] = LearningSettings(subnet.fine_tuning_rate, subnet.momentum)
    return groups


def schedule(config: TrainCommand, epochs: int) -> list[Phase]:
    strategy = bound(chosen("STRATEGIES", config.strategy.name, "strategy.name"), config.strategy.options)
    phases: list[Phase] = strategy(tuple(subnets_of(config)), epochs)
    return phases


def build_loss(recipe: RecipeConfig) -> Loss:
    """The loss of a mini-batch's scores; one that regularises them has an argument `regularisation`."""
    loss: Loss = bound(chosen("LOSSES", recipe.loss, "recipe.loss"), recipe.options)
    if "regularisation" in inspect.signature(loss).parameters:
        return partial(loss, regularisation=recipe.score_regularisation)  # type: ignore[call-arg]
    return loss
