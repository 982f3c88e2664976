"""The step against a slow one (slow.py): every architecture, strategy, feature set and loss."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import product

import pytest
import torch

from prnn_cli.networks.architectures import subnet_inputs
from prnn_cli.networks.inputs import Dense, Embedded, FineTuned, Input, OneHot, Sparse, Tied
from prnn_cli.networks.network import Network
from prnn_cli.networks.readouts import Interaction, Separate, Shared
from prnn_cli.networks.row_readers import TermRows
from prnn_cli.networks.subnet import Subnet
from prnn_cli.training import losses, strategies
from prnn_cli.training.losses import top1
from prnn_cli.training.optim import LearningSettings
from prnn_cli.training.state import TrainState
from prnn_cli.training.step import Step
from prnn_cli.training.strategies import simultaneous
from small import (
    CPU,
    batches_of,
    id_network,
    parameters_of,
    random_sessions,
    sessions_of,
    whole_batches_of,
    with_tied_rows,
)
from training import slow

ITEMS, HIDDEN = 8, 5
ALL = -1  # sampled negatives: every item is scored
LOSSES = {name: getattr(losses, name, None) for name in slow.LOSSES}
LOSSES["gbce"] = partial(losses.gbce, calibration=0.75, sampling_rate=0.2)
LOSSES["smoothed_cross_entropy"] = partial(losses.cross_entropy, label_smoothing=0.3)
PHASE = simultaneous(("id",), epochs=1)[0]
SUBNETS = {"id_only": "id", "feature_only": "feature", "concatenated": "concatenated"}
STRATEGIES = ("simultaneous", "alternating", "residual", "interleaving")
READOUTS = {"shared_w": Shared, "interaction": Interaction}
FEATURES = {"none": [], "text": ["text"], "image": ["image"], "image_and_text": ["image", "text"]}

# Vectors of 8 items: a dense one of 4 values, and a sparse one of 6, of which item 3 has none.
IMAGE = torch.randn(ITEMS, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
TEXT = torch.tensor(
    [
        [0.6, 0.8, 0, 0, 0, 0],
        [0, 0, 1.0, 0, 0, 0],
        [0.5, 0.5, 0.5, 0, 0.5, 0],
        [0, 0, 0, 0, 0, 0],
        [0, 0, 0, 1.0, 0, 0],
        [0.6, 0, 0, 0, 0, 0.8],
        [0, 0, 0, 0.8, 0.6, 0],
        [0, 1.0, 0, 0, 0, 0],
    ],
    dtype=torch.float64,
)
MATRICES = {"id": torch.eye(ITEMS, dtype=torch.float64), "image": IMAGE, "text": TEXT}


def sparse_of(name: str, matrix: torch.Tensor) -> Sparse:
    starts = torch.cat([torch.zeros(1), (matrix != 0).sum(dim=1).cumsum(0)]).long()
    columns = matrix.nonzero()[:, 1]
    return Sparse(TermRows(name, starts, columns, matrix[matrix != 0], matrix.shape[1]))


INPUTS = {"id": OneHot(ITEMS), "image": Dense("image", IMAGE), "text": sparse_of("text", TEXT)}
WEIGHTS = {"id": 1.0, "image": 0.7, "text": 1.3, "concatenated": 1.0}


def network_of(
    arch: str,
    features: str,
    activation: str = "tanh",
    inputs_of: Mapping[str, Input] = INPUTS,
    tied: bool = False,
) -> Network:
    """Subnets of different sizes where the architecture allows them."""
    if tied:
        owner = {"shared_w": "output", "concatenated": "concatenated"}.get(arch, "id")
        inputs_of = {**inputs_of, "id": Tied(f"readout.{owner}", HIDDEN)}
    inputs = subnet_inputs(arch, SUBNETS.get(arch, "each"), FEATURES[features], order=None)
    sizes = {name: HIDDEN + (k if arch == "parallel" else 0) for k, name in enumerate(inputs)}
    subnets = tuple(
        Subnet(name, tuple(inputs_of[source] for source in sources), sizes[name], WEIGHTS[name], dropout=0.5)
        for name, sources in inputs.items()
    )
    return Network(subnets, READOUTS.get(arch, Separate)(subnets), activation, ITEMS)


def with_input_dropout(network: Network, rate: float) -> Network:
    subnets = tuple(replace(subnet, input_dropout=rate) for subnet in network.subnets)
    return replace(network, subnets=subnets)


def state_of(network: Network, num_slots: int, settings: dict[str, LearningSettings]) -> TrainState:
    state = TrainState.initial(network, settings, num_slots, seed=0, device=CPU)
    state.parameters = parameters_of(network, dtype=torch.float64)
    for group in (state.accumulators, state.velocities, state.carry):
        group.update({name: value.double() for name, value in group.items()})
    return state


def settings_of(network: Network, momentum: float, optimiser: str = "adagrad") -> dict[str, LearningSettings]:
    """Each subnet learns at its own rate."""
    names = [*(subnet.name for subnet in network.subnets), "output"]
    settings = {name: LearningSettings(0.1 / (k + 1), momentum, optimiser) for k, name in enumerate(names)}
    return settings | {f"{name}.vectors": LearningSettings(0.03, momentum, optimiser) for name in names}


def assert_an_epoch_equals_the_slow_one(
    arch: str,
    features: str,
    strategy: str = "simultaneous",
    loss: str = "top1",
    activation: str = "tanh",
    num_slots: int = 4,
    momentum: float = 0.0,
    num_sampled: int = 2,
    inputs_of: Mapping[str, Input] = INPUTS,
    corrected: bool = False,
    optimiser: str = "adagrad",
    tied: bool = False,
    input_dropout: float = 0.0,
) -> None:
    """One epoch of each phase, with resets, duplicates, idle slots in the tail, dropout."""
    network = network_of(arch, features, activation, inputs_of, tied)
    network = with_input_dropout(network, input_dropout)
    settings = settings_of(network, momentum, optimiser)
    state = state_of(network, num_slots, settings)
    fed = {
        subnet.name: {each.name: MATRICES[each.name] for each in subnet.inputs} for subnet in network.subnets
    }
    by_hand = slow.SlowTrainer(
        arch,
        fed,
        WEIGHTS,
        state.parameters,
        settings,
        slow.ACTIVATIONS[activation],
        slow.LOSSES[loss],
        num_slots,
        tied,
    )
    sessions = random_sessions(seed=2, num_sessions=6)
    generator = torch.Generator().manual_seed(5)
    if num_sampled == ALL:
        batches = whole_batches_of(network, sessions, num_slots)
    else:
        batches = batches_of(network, sessions, num_slots, torch.tensor([1, 1, 7])[:num_sampled])
    if tied and num_sampled != ALL:
        batches = [with_tied_rows(batch) for batch in batches]
    if corrected:
        log_counts = torch.randn(num_slots + num_sampled, dtype=torch.float64, generator=generator)
        batches = [replace(batch, correction=log_counts) for batch in batches]
    for phase in getattr(strategies, strategy)(list(fed), epochs=1):
        state.carry = {name: torch.zeros_like(value) for name, value in state.carry.items()}
        for batch in batches:
            if num_sampled != ALL and batch.active.sum() + num_sampled < 2:
                break
            num_rows = {name: len(rows.index) for name, rows in batch.clicks.rows.items()}
            for subnet in network.subnets:
                for name, (shape, chance) in subnet.masks(num_slots, num_rows).items():
                    mask = torch.bernoulli(torch.full(shape, chance), generator=generator)
                    batch.keep_masks[name] = mask.to(torch.uint8)
            Step(network, LOSSES[loss], settings)(state, batch, phase)
            by_hand.step(batch, phase)
    for name, value in by_hand.p.items():
        torch.testing.assert_close(state.parameters[name], value.detach(), rtol=1e-8, atol=1e-10, msg=name)


@pytest.mark.parametrize("num_sampled", [0, 3])
@pytest.mark.parametrize("momentum", [0.0, 0.4])
@pytest.mark.parametrize("num_slots", [4, 40])
def test_id_only_equals_the_slow_one_with_any_batch(
    num_slots: int, momentum: float, num_sampled: int
) -> None:
    assert_an_epoch_equals_the_slow_one(
        "id_only", "none", num_slots=num_slots, momentum=momentum, num_sampled=num_sampled
    )


@pytest.mark.parametrize("features", ["text", "image"])
def test_feature_only_equals_the_slow_one(features: str) -> None:
    assert_an_epoch_equals_the_slow_one("feature_only", features, momentum=0.3)


@pytest.mark.parametrize("features", ["text", "image", "image_and_text"])
def test_concatenated_equals_the_slow_one(features: str) -> None:
    assert_an_epoch_equals_the_slow_one("concatenated", features, momentum=0.3)


@pytest.mark.parametrize(
    ("arch", "strategy", "features"),
    list(
        product(
            ("parallel", "shared_w", "interaction"),
            STRATEGIES,
            ("text", "image", "image_and_text"),
        )
    ),
)
def test_every_parallel_network_and_strategy_equals_the_slow_one(
    arch: str, strategy: str, features: str
) -> None:
    assert_an_epoch_equals_the_slow_one(arch, features, strategy, momentum=0.2)


@pytest.mark.parametrize("strategy", ["simultaneous", "alternating", "residual", "interleaving"])
@pytest.mark.parametrize("arch", ["parallel", "shared_w", "interaction"])
def test_adam_equals_the_slow_one_in_every_network_and_strategy(arch: str, strategy: str) -> None:
    assert_an_epoch_equals_the_slow_one(arch, "image_and_text", strategy, optimiser="adam")


@pytest.mark.parametrize("num_slots", [4, 40])
def test_adam_equals_the_slow_one_with_embeddings_and_tuned_vectors(num_slots: int) -> None:
    inputs_of = INPUTS | {"image": FineTuned("image", IMAGE), "id": Embedded(INPUTS["id"], 3)}
    assert_an_epoch_equals_the_slow_one(
        "parallel", "image_and_text", num_slots=num_slots, inputs_of=inputs_of, optimiser="adam"
    )


@pytest.mark.parametrize("tuned", [False, True])
@pytest.mark.parametrize("embedded", [False, True])
@pytest.mark.parametrize(("arch", "strategy"), [("parallel", "residual"), ("concatenated", "simultaneous")])
def test_embedding_layers_and_tuned_vectors_equal_the_slow_one(
    arch: str, strategy: str, embedded: bool, tuned: bool
) -> None:
    inputs_of = INPUTS | ({"image": FineTuned("image", IMAGE)} if tuned else {})
    if embedded:
        inputs_of = {name: Embedded(source, 3) for name, source in inputs_of.items()}
    assert_an_epoch_equals_the_slow_one(arch, "image_and_text", strategy, momentum=0.2, inputs_of=inputs_of)


@pytest.mark.parametrize("loss", ["cross_entropy", "smoothed_cross_entropy", "gbce"])
@pytest.mark.parametrize(("arch", "strategy"), list(product(READOUTS | {"parallel": Separate}, STRATEGIES)))
def test_every_item_scored_equals_the_slow_one(arch: str, strategy: str, loss: str) -> None:
    assert_an_epoch_equals_the_slow_one(arch, "text", strategy, loss, "linear", momentum=0.2, num_sampled=ALL)


@pytest.mark.parametrize("loss", ["cross_entropy", "smoothed_cross_entropy"])
@pytest.mark.parametrize(("arch", "strategy"), list(product(READOUTS | {"parallel": Separate}, STRATEGIES)))
def test_corrected_scores_equal_the_slow_ones(arch: str, strategy: str, loss: str) -> None:
    assert_an_epoch_equals_the_slow_one(arch, "text", strategy, loss, "linear", corrected=True)


@pytest.mark.parametrize(("optimiser", "momentum"), [("adagrad", 0.2), ("adam", 0.0)])
@pytest.mark.parametrize("num_sampled", [0, 3, ALL])
@pytest.mark.parametrize("arch", ["id_only", "concatenated"])
def test_tied_tables_of_one_subnet_equal_the_slow_ones(
    arch: str, num_sampled: int, optimiser: str, momentum: float
) -> None:
    features = "none" if arch == "id_only" else "text"
    assert_an_epoch_equals_the_slow_one(
        arch,
        features,
        loss="cross_entropy",
        momentum=momentum,
        num_sampled=num_sampled,
        optimiser=optimiser,
        tied=True,
    )


@pytest.mark.parametrize("num_sampled", [3, ALL])
@pytest.mark.parametrize(("arch", "strategy"), list(product(READOUTS | {"parallel": Separate}, STRATEGIES)))
def test_tied_tables_equal_the_slow_ones(arch: str, strategy: str, num_sampled: int) -> None:
    assert_an_epoch_equals_the_slow_one(
        arch, "text", strategy, "cross_entropy", "linear", momentum=0.2, num_sampled=num_sampled, tied=True
    )


@pytest.mark.parametrize("inputs", ["as they are", "embedded", "tuned", "tied"])
@pytest.mark.parametrize(("arch", "strategy"), [("parallel", "residual"), ("concatenated", "simultaneous")])
def test_dropout_of_every_input_equals_the_slow_one(arch: str, strategy: str, inputs: str) -> None:
    inputs_of = INPUTS | ({"image": FineTuned("image", IMAGE)} if inputs == "tuned" else {})
    if inputs == "embedded":
        inputs_of = {name: Embedded(source, 3) for name, source in inputs_of.items()}
    assert_an_epoch_equals_the_slow_one(
        arch, "image_and_text", strategy, inputs_of=inputs_of, tied=inputs == "tied", input_dropout=0.5
    )


@pytest.mark.parametrize("activation", ["tanh", "linear", "elu", "elu_1"])
@pytest.mark.parametrize("loss", list(slow.LOSSES))
@pytest.mark.parametrize("arch", ["parallel", "shared_w", "interaction"])
def test_every_loss_and_activation_equals_the_slow_one(arch: str, loss: str, activation: str) -> None:
    assert_an_epoch_equals_the_slow_one(arch, "text", "interleaving", loss, activation)


@pytest.mark.parametrize("num_sampled", [0, 2])
@pytest.mark.parametrize("loss", list(slow.LOSSES))
def test_every_loss_with_duplicates_and_idle_slots(loss: str, num_sampled: int) -> None:
    assert_an_epoch_equals_the_slow_one(
        "id_only", "none", loss=loss, activation="linear", num_slots=40, num_sampled=num_sampled
    )


@pytest.mark.parametrize("arch", ["parallel", "shared_w", "interaction"])
def test_fixed_subnets_keep_their_bits_and_the_learning_one_moves(arch: str) -> None:
    network = network_of(arch, "image_and_text")
    settings = settings_of(network, momentum=0.5)
    state = state_of(network, 4, settings)
    batches = batches_of(network, random_sessions(seed=2), 4)[:3]
    for phase in strategies.alternating(["id", "image", "text"], epochs=1):
        (learner,) = phase.learning
        before = {name: value.clone() for name, value in state.parameters.items()}
        for batch in batches:
            Step(network, top1, settings)(state, batch, phase)
        moved = {name for name, value in state.parameters.items() if not torch.equal(value, before[name])}
        assert {network.owner(name) for name in moved} <= {learner, "output"}
        expected = {name for name in before if network.owner(name) in (learner, "output")}
        assert moved == expected


def test_residuals_first_phase_is_id_only_to_the_bit() -> None:
    """The weights of the subnets are not normalised, and a subnet without its turn does not score."""
    ended = []
    for arch, strategy in (("id_only", "simultaneous"), ("parallel", "residual")):
        network = network_of(arch, "text")
        settings = {name: LearningSettings(0.1, 0.2) for name in ("id", "text", "output")}
        state = TrainState.initial(network, settings, 4, seed=0, device=CPU)
        phase = getattr(strategies, strategy)([subnet.name for subnet in network.subnets], epochs=1)[0]
        for batch in batches_of(network, random_sessions(seed=2), 4):
            Step(network, top1, settings)(state, batch, phase)
        ended.append(state.parameters)
    id_only, parallel = ended
    for name, value in id_only.items():
        assert torch.equal(value, parallel[name]), name


def test_only_touched_rows_are_read_or_written() -> None:
    """Rows of items and terms that the batch does not hold are NaN: whatever read them would show it."""
    network = network_of("parallel", "text")
    settings = settings_of(network, momentum=0.5)
    state = state_of(network, 2, settings)
    batch = batches_of(network, sessions_of([0, 1], [5, 3]), num_slots=2, negatives=torch.tensor([4]))[0]
    touched = {
        "subnets.id.input.id": [0, 5],
        "subnets.text.input.text": [0, 1, 5],  # the terms of items 0 and 5
        "readout.id": [1, 3, 4],
        "readout.text": [1, 3, 4],
    }
    before = {name: value.clone() for name, value in state.parameters.items()}
    for name, rows in touched.items():
        others = [row for row in range(len(state.parameters[name])) if row not in rows]
        state.parameters[name][others] = torch.nan
    Step(network, top1, settings)(state, batch, simultaneous(["id", "text"], 1)[0])
    for name, rows in touched.items():
        value = state.parameters[name]
        assert value.isfinite().all(dim=1).nonzero().flatten().tolist() == rows, name
        assert (value[rows] != before[name][rows]).any(dim=1).all(), name


def test_a_step_of_clicks_without_any_text_moves_no_term() -> None:
    """Items 3 has no text: with momentum, a row that padding pointed to would move on."""
    network = network_of("parallel", "text")
    settings = settings_of(network, momentum=0.5)
    state = state_of(network, 1, settings)
    phase = simultaneous(["id", "text"], 1)[0]
    first, second = batches_of(network, sessions_of([0, 3, 3]), num_slots=1, negatives=torch.tensor([4, 5]))
    Step(network, top1, settings)(state, first, phase)
    before = state.parameters["subnets.text.input.text"].clone()
    Step(network, top1, settings)(state, second, phase)
    assert torch.equal(state.parameters["subnets.text.input.text"], before)


def test_a_loss_that_is_not_finite_is_noticed_with_its_first_step() -> None:
    network = id_network()
    settings = {"id": LearningSettings(0.1, 0.0)}
    state = state_of(network, 2, settings)
    batches = batches_of(network, sessions_of([0, 1, 2, 3], [4, 5, 6, 7]), num_slots=2)
    state.parameters["subnets.id.input.id"][5] = torch.nan  # clicked at step 1
    for batch in batches:
        Step(network, top1, settings)(state, batch, PHASE)
    assert int(state.tally["first_bad_step"]) == 1
