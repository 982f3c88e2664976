"""Settings and data -> the network, and all that trains it; refuses settings that don't go together."""

import inspect
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from prnn_cli.batching import training_plan
from prnn_cli.data.prepare import PreparedData
from prnn_cli.errors import UserError
from prnn_cli.evaluation.metrics import check_measured, check_metrics
from prnn_cli.experiment.baselines import RankedBaselines
from prnn_cli.experiment.settings import choices_of
from prnn_cli.extensions import bound, chosen, fingerprint_of
from prnn_cli.features.extract import check_features, extract
from prnn_cli.features.extractor import is_sparse
from prnn_cli.features.table import FeatureTable
from prnn_cli.networks.architectures import ID, subnet_inputs
from prnn_cli.networks.inputs import VECTORS, Dense, Embedded, FineTuned, Input, OneHot, Sparse, Tied
from prnn_cli.networks.network import Network
from prnn_cli.networks.readouts import SHARED, Readout, table_of
from prnn_cli.networks.row_readers import TermRows
from prnn_cli.networks.subnet import Subnet
from prnn_cli.schema import FeaturesConfig, RecipeConfig, SubnetConfig, TrainCommand
from prnn_cli.system.distributed import process_group
from prnn_cli.training.compile_choice import choose_executor
from prnn_cli.training.data_parallel import UNSHARDED, Sharded, Sharding
from prnn_cli.training.executors import executor_of
from prnn_cli.training.logq import LogQ
from prnn_cli.training.negatives import NegativeSampler
from prnn_cli.training.optim import ADAM, LearningSettings
from prnn_cli.training.standing import standing_tables
from prnn_cli.training.state import TrainState
from prnn_cli.training.step import Loss, Step
from prnn_cli.training.strategies import Phase
from prnn_cli.training.ticks import TickMaker
from prnn_cli.training.trainer import Trainer

ALONE = "alone"  # arch.trained

log = logging.getLogger(__name__)


def check_combination(settings: TrainCommand) -> None:
    """Raises `UserError` for an architecture, features and a strategy that don't go together."""
    inputs = subnets_of(settings)
    _check_metrics(settings)
    _check_loss(settings.recipe)
    check_features(features_used(settings), settings.dataset)
    _check_subnets(settings, inputs)
    _check_momenta(settings, inputs)
    arch = settings.arch.name
    _check_alone(settings)
    if len(inputs) == 1 and settings.strategy.name != "simultaneous":
        raise UserError(
            f"arch={arch} has one subnet, so strategy={settings.strategy.name} has nothing to take turns with; "
            "leave strategy out, or choose arch=parallel, shared_w or interaction"
        )
    _id_input(settings, num_items=1)
    if process_group().world_size > 1:
        _check_input_dropout(settings, inputs)
    sizes = {name: settings.subnets[name].hidden_size for name in inputs}
    if settings.arch.readout != "separate" and len(set(sizes.values())) > 1:
        stated = ", ".join(f"subnets.{name}.hidden_size={size}" for name, size in sizes.items())
        raise UserError(f"arch={arch} needs equal hidden sizes, not {stated}")
    if settings.arch.readout == "interaction" and next(iter(inputs)) != ID:
        raise UserError(f"arch={arch} multiplies with the ID's subnet, so arch.order must begin with {ID}")


def _check_alone(settings: TrainCommand) -> None:
    """Raises `UserError` for subnets that cannot be trained alone."""
    arch, strategy = settings.arch, settings.strategy.name
    if arch.trained != ALONE:
        return
    if arch.readout != "separate":
        raise UserError(
            f"arch.trained=alone trains each subnet with an output table of its own, which arch.readout={arch.readout} "
            "does not give it; set arch.readout=separate, or arch.trained=together"
        )
    if strategy != "simultaneous":
        raise UserError(
            f"arch.trained=alone gives strategy={strategy} no subnets to take turns; leave strategy out "
            "with arch=late_fusion, else add strategy=simultaneous, or arch.trained=together"
        )


def _check_metrics(settings: TrainCommand) -> None:
    check_metrics(settings.evaluation.metrics)
    _check_gain_over(settings.table.gain_over, list(baselines_of(settings).options))
    if settings.search is not None:
        check_measured("search.metric", settings.search.metric, settings.evaluation)


def _check_gain_over(name: str | None, baselines: list[str]) -> None:
    """Raises `UserError` for gains over what is no method of any table."""
    if name in (None, "id_only", *baselines, *choices_of("row")):
        return
    raise UserError(
        f"table.gain_over={name} is none of the baselines that are ranked; choose one of "
        f"{', '.join(['id_only', *baselines])}, add it to baselines=[…], or name a row (configs/row/)"
    )


def warn_of_bounded_scores(recipe: RecipeConfig) -> None:
    """Warns of a loss that needs scores of any size where the activation bounds them."""
    if recipe.loss in ("cross_entropy", "gbce") and recipe.activation == "tanh":
        log.warning(
            "recipe.loss=%s learns little from scores between -1 and 1; set recipe.activation=linear",
            recipe.loss,
        )


def _check_subnets(settings: TrainCommand, inputs: Mapping[str, Sequence[str]]) -> None:
    """Raises `UserError` for a subnet without settings, or one that is to tune vectors without being fed any."""
    for name, sources in inputs.items():
        if name not in settings.subnets:
            raise UserError(f"subnets.{name} has no settings; add +subnet@subnets.{name}=default")
        rate = settings.subnets[name].fine_tuning_rate
        dense = [
            source for source in sources if source != ID and not is_sparse(settings.features.sources[source])
        ]
        if rate > 0 and not dense:
            raise UserError(_nothing_to_tune(name, rate))


def _check_momenta(settings: TrainCommand, subnets: Iterable[str]) -> None:
    """Raises `UserError` for a momentum beside Adam's own."""
    momenta = {f"subnets.{name}.momentum": settings.subnets[name].momentum for name in subnets}
    momenta["output.momentum"] = settings.output.momentum
    for option, momentum in momenta.items():
        if momentum > 0 and settings.recipe.optimiser == ADAM:
            raise UserError(
                f"{option}={momentum:g} cannot be with recipe.optimiser=adam, whose first moment is its momentum; "
                "set it to 0 (recipe.momentum=0 sets all that follow the recipe)"
            )


def _check_input_dropout(settings: TrainCommand, inputs: Mapping[str, Sequence[str]]) -> None:
    """Raises `UserError` where processes share the drawing of terms: which are drawn depends on their number."""
    for name, sources in inputs.items():
        subnet = settings.subnets[name]
        terms = [each for each in sources if each != ID and is_sparse(settings.features.sources[each])]
        if subnet.input_dropout > 0 and subnet.embedding_size is None and terms:
            raise UserError(
                f"subnets.{name}.input_dropout={subnet.input_dropout:g} drops terms of {terms[0]}, which several "
                f"processes cannot share; set it to 0, or subnets.{name}.embedding_size, or train in one process"
            )


def _nothing_to_tune(subnet: str, rate: float) -> str:
    return (
        f"subnets.{subnet}.fine_tuning_rate={rate:g}: only dense item vectors (of images, or precomputed) can be "
        f"tuned, and {subnet} is fed none; leave it at 0"
    )


def subnets_of(settings: TrainCommand) -> dict[str, list[str]]:
    """The subnets of the architecture: name -> the sources that feed it."""
    arch = settings.arch
    return subnet_inputs(arch.name, arch.subnets, list(settings.features.sources), arch.order)


def baselines_of(settings: TrainCommand) -> RankedBaselines:
    """The baselines that the network is compared with. Raises `UserError` for those that cannot be ranked."""
    return RankedBaselines.of(settings.baselines, settings.features, settings.dataset)


def features_used(settings: TrainCommand) -> FeaturesConfig:
    """The features without the sources that the architecture leaves alone."""
    used = {source for sources in subnets_of(settings).values() for source in sources}
    sources = {name: how for name, how in settings.features.sources.items() if name in used}
    return replace(settings.features, sources=sources)


def code_of(settings: TrainCommand) -> dict[str, str]:
    """The code of extensions that the network was trained by: what it is -> a hash of its source."""
    used = {"READOUTS": [settings.arch.readout], "STRATEGIES": [settings.strategy.name]}
    used |= {"LOSSES": [settings.recipe.loss], "EXTRACTORS": [*features_used(settings).sources.values()]}
    return {
        f"{kind} {name}": fingerprint
        for kind in used
        for name in used[kind]
        for fingerprint in fingerprint_of(kind, name)
    }


def check_code(settings: TrainCommand, before: Mapping[str, str], folder: Path) -> None:
    """Raises `UserError` where the code of an extension is not what it was when the run in `folder` was trained."""
    now = code_of(settings)
    if changed := [what for what in {**before, **now} if before.get(what) != now.get(what)]:
        raise UserError(
            f"{', '.join(changed)} of an extension is other code than when the run in {folder} was trained; "
            "restore it, or train in another folder"
        )


def extract_used(settings: TrainCommand, data: PreparedData, device: torch.device) -> dict[str, FeatureTable]:
    """The tables of the features that the architecture uses, by source."""
    return extract(features_used(settings), settings.dataset, data, Path(settings.cache_dir), device)


def build_trainer(
    settings: TrainCommand,
    data: PreparedData,
    features: Mapping[str, FeatureTable],
    device: torch.device,
    state: TrainState | None = None,
    executor: str | None = None,
    phases: Sequence[Phase] | None = None,
    rate_factor: float = 1.0,
) -> Trainer:
    """Makes the trainer of a run; `state` and the name of the `executor` are given for one that goes on, `phases`
    where they are not those of the settings.

    rate_factor: that all learning rates are multiplied with
    Raises `UserError` where no mini-batch would have a negative.
    """
    recipe, world_size = settings.recipe, process_group().world_size
    network = build_network(settings, data.train.num_items, features, device)
    if settings.arch.trained == ALONE:
        # What it is worth beside the others is nothing to a network of its own.
        network = weighted(network, settings, dict.fromkeys(subnets_of(settings), 1.0))
    learning = learning_settings(settings, rate_factor)
    plan = training_plan(data, recipe.batch_size, Path(settings.cache_dir))
    sampler, logq = sampling_of(recipe, data.support, device)
    ticks = TickMaker(network, plan, sampler, settings.seed, device, world_size, logq)
    if ticks.num_updating_steps == 0:
        raise UserError(
            "no mini-batch has two active slots, so no target has a negative; set recipe.num_sampled, such as 100"
        )
    phases = schedule(settings, settings.epochs) if phases is None else phases
    updates = ticks.num_updating_steps * sum(phase.epochs * len(phase.updates) for phase in phases)
    if world_size > 1:
        # What the processes exchange stands in the middle of a step, which a compiled step is one piece of.
        executor = "eager"
    executor = executor or choose_executor(
        settings.hardware, device, updates, multiplications_per_batch(settings, network.num_items)
    )
    own_slots = recipe.batch_size // world_size
    state = state or TrainState.initial(network, learning, own_slots, settings.seed, device)
    fed_by = standing_tables(network, phases, int(plan.num_active.sum()), state.parameters)
    step = Step(network, build_loss(recipe, network.num_items), learning, _sharding(recipe, device), fed_by)
    return Trainer(
        network=network,
        executor=executor_of(executor, step),
        phases=phases,
        ticks=ticks,
        state=state,
        begin_epoch=step.begin_epoch,
        loss_of_nothing=step.loss_of_nothing,
        rate_factor=rate_factor,
    )


def _sharding(recipe: RecipeConfig, device: torch.device) -> Sharding:
    group = process_group()
    if group.world_size == 1:
        return UNSHARDED
    return Sharded(group, recipe.batch_size, recipe.batch_size + recipe.num_drawn, device)


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
    settings: TrainCommand, num_items: int, features: Mapping[str, FeatureTable], device: torch.device
) -> Network:
    """The network of the settings, for `num_items` items whose `features` are tables by source."""
    inputs: dict[str, Input] = {ID: _id_input(settings, num_items)}
    inputs |= {name: feature_input(name, table, device) for name, table in features.items()}
    subnets = tuple(
        build_subnet(name, _tunable(settings, name), [inputs[source] for source in sources])
        for name, sources in subnets_of(settings).items()
    )
    return Network(subnets, readout_of(settings, subnets), settings.recipe.activation, num_items)


def _tunable(settings: TrainCommand, name: str) -> SubnetConfig:
    """The settings of a subnet; a placebo that is a column an item has no vectors to tune."""
    subnet = settings.subnets[name]
    return replace(subnet, fine_tuning_rate=0.0) if settings.features.placebo == "ids" else subnet


def own_weights(settings: TrainCommand) -> dict[str, float]:
    """The weights that the settings give the network's subnets, by name."""
    return {name: settings.subnets[name].weight for name in subnets_of(settings)}


def weighted(network: Network, settings: TrainCommand, weights: Mapping[str, float]) -> Network:
    """A network of the settings, but with these weights of subnets."""
    subnets = tuple(
        replace(subnet, weight=weights.get(subnet.name, subnet.weight)) for subnet in network.subnets
    )
    return replace(network, subnets=subnets, readout=readout_of(settings, subnets))


def _id_input(settings: TrainCommand, num_items: int) -> Input:
    """The ID of an item; where the recipe is tied, the item's row of the output table of the subnet that is fed the ID,
    or of the one that all subnets share.

    Raises `UserError` where no such rows can be fed.
    """
    arch, inputs = settings.arch.name, subnets_of(settings)
    owner = next((name for name, sources in inputs.items() if ID in sources), None)
    if owner is None or not settings.recipe.tied:  # a network that is fed no ID has nothing to tie
        return OneHot(num_items)
    if (size := settings.subnets[owner].embedding_size) is not None:
        raise UserError(
            f"recipe.tied=true feeds the ID's row of the output table, so subnets.{owner}.embedding_size={size} has no "
            "place; set it to null, or recipe.tied=false"
        )
    subnets = [Subnet(name, (), settings.subnets[name].hidden_size, weight=1.0) for name in inputs]
    tables = readout_of(settings, tuple(subnets)).tables
    for table in (table_of(owner), table_of(SHARED)):
        if table in tables:
            return Tied(table, tables[table])
    raise UserError(
        f"recipe.tied=true: arch={arch} has no output table of {owner}, nor one that all share; leave it at false"
    )


def readout_of(settings: TrainCommand, subnets: tuple[Subnet, ...]) -> Readout:
    """The readout that the architecture names, with its options."""
    entry = chosen("READOUTS", settings.arch.readout, "arch.readout")
    readout: Readout = bound(entry, settings.arch.options)(subnets)
    return readout


def build_subnet(name: str, config: SubnetConfig, inputs: list[Input]) -> Subnet:
    """A subnet of the inputs, which it tunes or embeds where its settings say so."""
    if config.fine_tuning_rate > 0:
        inputs = [
            FineTuned(source.name, source.vectors) if isinstance(source, Dense) else source
            for source in inputs
        ]
        if not any(isinstance(source, FineTuned) for source in inputs):
            raise UserError(_nothing_to_tune(name, config.fine_tuning_rate))
    if config.embedding_size is not None:
        inputs = [Embedded(source, config.embedding_size) for source in inputs]
    return Subnet(
        name, tuple(inputs), config.hidden_size, config.weight, config.dropout, config.input_dropout
    )


def feature_input(name: str, table: FeatureTable, device: torch.device) -> Input:
    """The vectors of a source as the input of a subnet, on `device`: dense, or rows of terms."""
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


def multiplications_per_batch(settings: TrainCommand, num_items: int) -> int:
    """Multiplications in the recurrent and the output products of a mini-batch; inputs are gathers, or small."""
    batch_size = settings.recipe.batch_size
    num_columns = settings.recipe.num_columns(num_items)
    sizes = [settings.subnets[name].hidden_size for name in subnets_of(settings)]
    return batch_size * sum(size * (3 * size + num_columns) for size in sizes)


def learning_settings(settings: TrainCommand, rate_factor: float = 1.0) -> dict[str, LearningSettings]:
    """Rates and momenta by learning group: each subnet, the item vectors that it tunes, and what all share.

    rate_factor: that all rates are multiplied with
    """
    output, optimiser = settings.output, settings.recipe.optimiser
    groups = {SHARED: LearningSettings(output.learning_rate, output.momentum, optimiser)}
    for name in subnets_of(settings):
        subnet = settings.subnets[name]
        groups[name] = LearningSettings(subnet.learning_rate, subnet.momentum, optimiser)
        groups[name + VECTORS] = LearningSettings(subnet.fine_tuning_rate, subnet.momentum, optimiser)
    return {
        name: replace(group, learning_rate=rate_factor * group.learning_rate)
        for name, group in groups.items()
    }


def schedule(settings: TrainCommand, epochs: int) -> list[Phase]:
    """The phases of training with `epochs` of each subnet, as the strategy lays them out."""
    strategy = bound(chosen("STRATEGIES", settings.strategy.name, "strategy.name"), settings.strategy.options)
    names = tuple(subnets_of(settings))
    networks = [(name,) for name in names] if settings.arch.trained == ALONE else [names]
    return [phase for subnets in networks for phase in strategy(subnets, epochs)]


def sampling_of(
    recipe: RecipeConfig, support: np.ndarray, device: torch.device
) -> tuple[NegativeSampler | None, LogQ | None]:
    """The sampler of negatives, and the correction for it; None where nothing is sampled, or to be corrected."""
    if recipe.scores_all:
        return None, None
    alpha, number = recipe.sample_alpha, recipe.num_sampled
    logq = LogQ(support, alpha, recipe.batch_size, number, recipe.logq, device) if recipe.logq > 0 else None
    return NegativeSampler(support, alpha, number, device), logq


def build_loss(recipe: RecipeConfig, num_items: int) -> Loss:
    """The loss of a mini-batch's scores, with those options of the recipe that it has arguments for."""
    loss: Loss = bound(chosen("LOSSES", recipe.loss, "recipe.loss"), recipe.options)
    options = {"regularisation": recipe.score_regularisation, "label_smoothing": recipe.label_smoothing}
    options |= {"calibration": recipe.calibration, "sampling_rate": sampling_rate(recipe, num_items)}
    taken = options.keys() & arguments_of(loss)
    return partial(loss, **{name: options[name] for name in taken}) if taken else loss


def sampling_rate(recipe: RecipeConfig, num_items: int) -> float:
    """The share of the other items that are a target's negatives in a full mini-batch, as if none came twice."""
    if recipe.scores_all:
        return 1.0
    num_negatives: int = recipe.batch_size - 1 + recipe.num_sampled
    return min(1.0, num_negatives / max(1, num_items - 1))


def arguments_of(loss: Loss) -> set[str]:
    """The names of what a loss can be given (`losses.py`)."""
    return set(inspect.signature(loss).parameters)


def _check_loss(recipe: RecipeConfig) -> None:
    """Raises `UserError` for an option that is set for another loss than the recipe's."""
    taken = arguments_of(bound(chosen("LOSSES", recipe.loss, "recipe.loss"), recipe.options))
    for option, value, argument in (
        ("logq", recipe.logq, "correction"),
        ("label_smoothing", recipe.label_smoothing, "label_smoothing"),
    ):
        if value > 0 and argument not in taken:
            raise UserError(
                f"recipe.{option}={value:g} is of cross_entropy, and recipe.loss={recipe.loss} cannot take it; "
                f"add recipe.{option}=0, or choose recipe.loss=cross_entropy"
            )
    if recipe.scores_all and "targets" not in taken:
        raise UserError(
            f"recipe.num_sampled=all is of cross_entropy and gbce, and recipe.loss={recipe.loss} takes targets and "
            "sampled negatives alone; give a number, such as 2048, or choose recipe=cross_entropy"
        )
