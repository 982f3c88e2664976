"""What is built follows the configuration: each setting reaches the place that uses it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from commands.conftest import Result, refusal
from prnn_cli.data.prepare import PreparedData
from prnn_cli.errors import UserError
from prnn_cli.evaluation.methods import compare
from prnn_cli.experiment.build import (
    baselines_of,
    build_network,
    build_trainer,
    check_combination,
    sampling_rate,
)
from prnn_cli.experiment.settings import composed
from prnn_cli.features.table import FeatureTable
from prnn_cli.networks.scorer import NetworkScorer
from prnn_cli.schema import TrainCommand
from prnn_cli.system.distributed import ProcessGroup, substituted
from prnn_cli.system.tree import unbind
from prnn_cli.training.executors import EagerExecutor
from prnn_cli.training.optim import LearningSettings
from small import CPU, prepared, sessions_of

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]

SETTINGS = [
    "recipe.batch_size=2",
    "recipe.num_sampled=400",
    "recipe.sample_alpha=1",
    "recipe.dropout=0.9",
    "recipe.learning_rate=9",
    "recipe.momentum=0.9",
    "output.learning_rate=3",
    "output.momentum=0.3",
    "subnets.id.dropout=0.2",
    "subnets.id.learning_rate=1",
    "subnets.id.momentum=0.1",
    "subnets.id.weight=0.5",
    "subnets.text.dropout=0",
    "subnets.text.learning_rate=2",
    "subnets.text.momentum=0.2",
    "subnets.text.fine_tuning_rate=0.7",
]
TRAIN = sessions_of([0, 1, 0, 1, 0, 1], [2, 3, 2, 3, 2, 3, 2], [0, 1, 0], num_items=4)


def config_of(*overrides: str) -> TrainCommand:
    settings: TrainCommand = composed("train", [*SETTINGS, *overrides])
    return settings


@pytest.fixture
def data() -> PreparedData:
    return replace(prepared(TRAIN), test=sessions_of([0, 3], num_items=4))


@pytest.fixture
def features() -> dict[str, FeatureTable]:
    return {"text": FeatureTable("text", np.eye(4, 3, dtype=np.float32), np.ones(4, dtype=bool))}


def test_each_subnet_learns_with_its_own_settings(
    data: PreparedData, features: dict[str, FeatureTable]
) -> None:
    trainer = build_trainer(config_of("arch=shared_w"), data, features, CPU)
    assert isinstance(trainer.executor, EagerExecutor)
    assert trainer.executor.step.settings == {
        "id": LearningSettings(1, 0.1),
        "id.vectors": LearningSettings(0, 0.1),
        "text": LearningSettings(2, 0.2),
        "text.vectors": LearningSettings(0.7, 0.2),
        "output": LearningSettings(3, 0.3),
    }
    assert [subnet.weight for subnet in trainer.network.subnets] == [0.5, 1.0]


def test_adam_is_refused_beside_another_momentum() -> None:
    adam = ["recipe.optimiser=adam", "subnets.text.fine_tuning_rate=0", "strategy=simultaneous"]
    with pytest.raises(UserError, match=r"^subnets.id.momentum=0.1 cannot be with recipe.optimiser=adam"):
        check_combination(config_of(*adam, "arch=id_only"))
    zero = ["recipe.momentum=0", "subnets.id.momentum=0", "output.momentum=0"]
    check_combination(config_of(*adam, *zero, "arch=id_only"))


def test_dropout_is_each_subnets_own(data: PreparedData, features: dict[str, FeatureTable]) -> None:
    trainer = build_trainer(config_of(), data, features, CPU)
    kept = trainer.ticks.make(0, 0, 0, 6).batches.keep_masks
    assert kept.keys() == {"id"}  # text has none
    assert kept["id"].float().mean().item() == pytest.approx(0.8, abs=0.06)


def test_negatives_follow_the_support(data: PreparedData, features: dict[str, FeatureTable]) -> None:
    ticks = build_trainer(config_of(), data, features, CPU).ticks
    batch = unbind(ticks.make(0, 0, 0, 6).batches)[0]
    assert batch.outputs.index.shape == (2 + 400,)
    drawn = np.bincount(batch.outputs.index[2:].numpy(), minlength=4) / 400
    assert drawn == pytest.approx(data.support / data.support.sum(), abs=0.08)


def test_the_correction_follows_the_support_and_the_strength(
    data: PreparedData, features: dict[str, FeatureTable]
) -> None:
    recipe = ["recipe=cross_entropy", "recipe.logq=0.5"]
    batch = unbind(build_trainer(config_of(*recipe), data, features, CPU).ticks.make(0, 0, 0, 6).batches)[0]
    share = data.support[batch.outputs.index] / data.support.sum()
    expected = 0.5 * np.log(np.array([2, 2] + [400] * 400) * share)
    np.testing.assert_allclose(batch.correction, expected, rtol=1e-5)
    assert build_trainer(config_of("recipe.logq=0"), data, features, CPU).ticks.logq is None


def test_every_item_is_scored_where_all_are_the_negatives(
    data: PreparedData, features: dict[str, FeatureTable]
) -> None:
    config = config_of("recipe=cross_entropy", "recipe.num_sampled=all")
    trainer = build_trainer(config, data, features, CPU)
    assert trainer.ticks.num_updating_steps == trainer.ticks.plan.num_steps  # also those with one active slot
    batch = unbind(trainer.ticks.make(0, 0, 0, 6).batches)[0]
    assert batch.outputs is None
    assert batch.correction is None  # each item is there once
    assert batch.targets.tolist() == [1, 3]
    assert trainer.ticks.num_scores == 4 * (2 * 6 + 1 * 1)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        (
            "recipe.num_sampled=all",
            r"recipe\.num_sampled=all is of cross_entropy and gbce, and recipe\.loss=top1 takes",
        ),
        ("recipe.logq=1", r"recipe\.logq=1 is of cross_entropy, and recipe\.loss=top1 cannot take it; add"),
        ("recipe.label_smoothing=0.1", r"recipe\.label_smoothing=0\.1 is of cross_entropy"),
    ],
)
def test_what_another_loss_cannot_take_is_refused(override: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        check_combination(config_of(*TUNES_NOTHING, override))
    check_combination(config_of(*TUNES_NOTHING, override, "recipe.loss=cross_entropy"))


@pytest.mark.parametrize(("arch", "table"), [("parallel", "readout.id"), ("shared_w", "readout.output")])
def test_tied_tables_stand_in_for_the_ids_own(
    arch: str, table: str, features: dict[str, FeatureTable]
) -> None:
    separate, tied = (
        build_network(config_of(f"arch={arch}", f"recipe.tied={on}"), 4, features, CPU)
        for on in ("false", "true")
    )
    assert tied.tied_table == table
    shapes = {name: tuple(value.shape) for name, value in tied.initial_parameters(0).items()}
    assert shapes.pop("subnets.id.input.id") == (100, 300)
    others = {name: tuple(value.shape) for name, value in separate.initial_parameters(0).items()}
    assert others.pop("subnets.id.input.id") == (4, 300)
    assert shapes == others


def test_tables_that_cannot_be_tied_are_refused() -> None:
    with pytest.raises(UserError, match=r"so subnets\.id\.embedding_size=3 has no place"):
        check_combination(config_of("arch=id_only", "subnets.id.embedding_size=3", "recipe.tied=true"))


def test_a_network_that_is_fed_no_id_has_nothing_to_tie(features: dict[str, FeatureTable]) -> None:
    own = ["arch=feature_only", "subnets.text.fine_tuning_rate=0"]
    networks = [build_network(config_of(*own, f"recipe.tied={on}"), 4, features, CPU) for on in (True, False)]
    tied, separate = (each.initial_parameters(0) for each in networks)
    assert [(name, value.shape) for name, value in tied.items()] == [
        (name, value.shape) for name, value in separate.items()
    ]


def test_dropout_of_inputs_is_each_subnets_own(features: dict[str, FeatureTable]) -> None:
    config = config_of("recipe.input_dropout=0.1", "subnets.text.input_dropout=0.3")
    network = build_network(config, 4, features, CPU)
    assert [subnet.input_dropout for subnet in network.subnets] == [0.1, 0.3]


def test_dropped_terms_are_refused_where_several_processes_draw_them() -> None:
    config = config_of(*TUNES_NOTHING, "recipe.input_dropout=0.2")
    check_combination(config)
    with (
        substituted(ProcessGroup(0, 0, 2)),
        pytest.raises(UserError, match="drops terms of text, which several"),
    ):
        check_combination(config)


@pytest.mark.parametrize(("num_sampled", "rate"), [("0", 1 / 40), ("9", 10 / 40), ("90", 1.0), ("all", 1.0)])
def test_the_sampling_rate_is_the_share_of_the_others_that_are_negatives(
    num_sampled: str, rate: float
) -> None:
    recipe = config_of(f"recipe.num_sampled={num_sampled}").recipe
    assert sampling_rate(recipe, num_items=41) == pytest.approx(rate)


def test_the_seed_decides_parameters_and_random_numbers(
    data: PreparedData, features: dict[str, FeatureTable]
) -> None:
    one, other = (build_trainer(config_of(f"seed={seed}"), data, features, CPU) for seed in (1, 2))
    assert not torch.equal(one.state.parameters["readout.id"], other.state.parameters["readout.id"])
    first, second = (each.ticks.make(0, 0, 0, 6).batches for each in (one, other))
    assert not torch.equal(first.outputs.index, second.outputs.index)


@pytest.mark.parametrize(
    ("arch", "strategy", "phases"),
    [
        ("parallel", "residual", [("id",), ("text",)]),
        ("interaction", "interleaving", [("id", "text")]),
        ("id_only", "simultaneous", [("id",)]),
        ("feature_only", "simultaneous", [("text",)]),
        ("concatenated", "simultaneous", [("concatenated",)]),
    ],
)
def test_architecture_and_strategy_are_those_asked_for(
    data: PreparedData,
    features: dict[str, FeatureTable],
    arch: str,
    strategy: str,
    phases: list[tuple[str, ...]],
) -> None:
    config = config_of(f"arch={arch}", f"strategy={strategy}")
    trainer = build_trainer(config, data, features, CPU)
    assert [phase.learning for phase in trainer.phases] == phases


def test_embedding_layer_and_tuned_vectors_are_parameters(
    data: PreparedData, features: dict[str, FeatureTable]
) -> None:
    plain = config_of("features=colour_histogram", "subnets.text.fine_tuning_rate=0")
    images = {"image": features["text"]}
    without = build_network(plain, 4, images, CPU).initial_parameters(seed=0)
    assert not any(name.endswith((".embedding", ".vectors")) for name in without)

    both = config_of(
        "features=colour_histogram", "subnets.image.embedding_size=2", "subnets.image.fine_tuning_rate=0.1"
    )
    network = build_network(both, 4, images, CPU)
    parameters = network.initial_parameters(seed=0)
    vectors = "subnets.image.input.image.embedding.vectors"
    assert parameters["subnets.image.input.image"].shape == (2, 300)
    assert parameters["subnets.image.input.image.embedding"].shape == (3, 2)
    assert torch.equal(parameters[vectors], torch.eye(4, 3))
    assert network.row_tables[vectors] == "id"
    assert parameters["subnets.id.input.id"].shape == (4, 300)  # the other subnet is as it was


def test_sparse_vectors_are_not_tuned() -> None:
    with pytest.raises(UserError, match=r"subnets\.text\.fine_tuning_rate=0\.7.*only dense item vectors"):
        check_combination(config_of())
    with pytest.raises(UserError, match=r"subnets\.id\.fine_tuning_rate"):
        check_combination(config_of("arch=id_only", "strategy=simultaneous", "subnets.id.fine_tuning_rate=1"))


WRONG = {
    "dataset=eshop_clothing  dataset.path=x": "features=text needs text, and dataset=eshop_clothing names none",
    "features=none": "arch=parallel needs features; add features=text",
    "features=none  arch=id_only  strategy=residual": "arch=id_only has one subnet, so strategy=residual",
    "arch=shared_w  subnets.id.hidden_size=7": "arch=shared_w needs equal hidden sizes, not subnets.id.hidden_size=7",
    "arch=interaction  arch.order=[text,id]": "so arch.order must begin with id",
    "~subnets.id": "subnets.id has no settings",
    "evaluation.part=validation": "needs a validation part; train with dataset.validation_days=auto",
}


@pytest.mark.parametrize("override", WRONG)
def test_settings_that_do_not_go_together_are_one_sentence(prnn: Prnn, override: str) -> None:
    assert WRONG[override] in refusal(prnn("train", *override.split("  ")))


def test_nothing_to_train_on_is_refused(data: PreparedData, features: dict[str, FeatureTable]) -> None:
    lonely = replace(data, train=sessions_of([0, 1, 2, 3]))
    with pytest.raises(UserError, match=r"no target has a negative; set recipe\.num_sampled"):
        build_trainer(config_of("recipe.num_sampled=0"), lonely, features, CPU)


def test_baselines_are_fitted_on_the_training_part(
    data: PreparedData, features: dict[str, FeatureTable], tmp_path: Path
) -> None:
    """The test session goes from 0 to 3, training only from 0 to 1: whoever puts 3 first has seen the test part."""
    config = config_of()
    network = build_network(config, 4, features, CPU)
    ranks = compare(
        NetworkScorer(network, network.initial_parameters(0)),
        data,
        config.evaluation,
        baselines_of(config).chosen(data, features, tmp_path, CPU),
        CPU,
        tmp_path,
    )
    assert ranks["markov"].better.tolist() == [1]
    assert ranks["item_knn"].better.tolist() == [1]
    assert ranks["popularity"].better.tolist() == [3]


TUNES_NOTHING = ["subnets.text.fine_tuning_rate=0"]


def test_gains_are_over_a_baseline_that_is_ranked() -> None:
    with pytest.raises(
        UserError, match=r"gain_over=markov is none of the baselines.*one of id_only, item_knn"
    ):
        check_combination(config_of(*TUNES_NOTHING, "baselines=[item_knn]", "table.gain_over=markov"))
    check_combination(config_of(*TUNES_NOTHING, "baselines=[item_knn]", "table.gain_over=id_only"))
