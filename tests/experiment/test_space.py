"""What a search may choose, from a preset and the command line."""

import numpy as np
import pytest

from prnn_cli.errors import UserError
from prnn_cli.experiment.space import Space

optuna = pytest.importorskip("optuna")

PRESET = {"recipe.dropout": "interval(0,0.7)", "recipe.learning_rate": "tag(log,interval(0.01,0.3))"}


def test_sweeps_become_distributions() -> None:
    space, _ = Space.of(
        PRESET, ["units.id=int(interval(10,100))", "epochs=range(2,9)", "recipe.loss=choice(top1,bpr)"]
    )
    assert space.distributions() == {
        "recipe.dropout": optuna.distributions.FloatDistribution(0, 0.7),
        "recipe.learning_rate": optuna.distributions.FloatDistribution(0.01, 0.3, log=True),
        "units.id": optuna.distributions.IntDistribution(10, 100),
        "epochs": optuna.distributions.IntDistribution(2, 8),
        "recipe.loss": optuna.distributions.CategoricalDistribution(["top1", "bpr"]),
    }


def test_the_command_line_takes_the_place_of_the_preset() -> None:
    space, fixed = Space.of(PRESET, ["recipe.dropout=0.3", "recipe.learning_rate=0.1,0.2", "epochs=3"])
    assert fixed == ["recipe.dropout=0.3", "epochs=3"]
    assert space.extremes() == [{"recipe.learning_rate": 0.1}, {"recipe.learning_rate": 0.2}]


def test_settings_are_drawn_as_their_sweeps_say() -> None:
    """Of 400: half of a logarithmic interval's lie below its geometric mean, of an even one's below its middle."""
    sweeps = PRESET | {
        "units.id": "int(interval(10,12))",
        "recipe.loss": "choice(top1,bpr)",
        "epochs": "range(2,4)",
    }
    drawn = [Space.of(sweeps, [])[0].drawn(np.random.default_rng(seed)) for seed in range(400)]
    middles = {"recipe.dropout": 0.35, "recipe.learning_rate": (0.01 * 0.3) ** 0.5}
    for option, middle in middles.items():
        assert 150 < sum(each[option] < middle for each in drawn) < 250
    assert {each["units.id"] for each in drawn} == {10, 11, 12}
    assert {each["recipe.loss"] for each in drawn} == {"top1", "bpr"}
    assert {each["epochs"] for each in drawn} == {2, 3}
    assert drawn[3] == Space.of(sweeps, [])[0].drawn(np.random.default_rng(3))


@pytest.mark.parametrize("sweep", ["tag(log,interval(0,1))", "interval(2,1)", "0.3"])
def test_what_cannot_be_drawn_is_a_sentence(sweep: str) -> None:
    with pytest.raises(UserError, match=r"write interval\(LOW,HIGH\)"):
        Space.of({"recipe.dropout": sweep}, [])[0].drawn(np.random.default_rng(0))


def test_the_ends_of_a_space_hold_every_extreme() -> None:
    space, _ = Space.of({"recipe.dropout": "interval(0,0.5)"}, ["recipe.loss=top1,bpr,bpr_max"])
    assert space.extremes() == [
        {"recipe.dropout": 0.0, "recipe.loss": "top1"},
        {"recipe.dropout": 0.5, "recipe.loss": "bpr"},
        {"recipe.dropout": 0.0, "recipe.loss": "bpr_max"},
    ]


@pytest.mark.parametrize(
    ("preset", "arguments", "sentence"),
    [
        ({}, ["epochs=3"], "nothing to choose"),
        ({"recipe.dropout": "interval(0,"}, [], "recipe.dropout=interval(0, is no sweep; write interval"),
        ({"recipe.dropout": "interval(0.7,0.1)"}, [], "recipe.dropout"),
        ({"recipe.learning_rate": "tag(log,interval(0,1))"}, [], "recipe.learning_rate"),
        ({"row": "glob(*)"}, [], "the search cannot choose row=glob"),
    ],
)
def test_what_cannot_be_searched_is_a_sentence(
    preset: dict[str, str], arguments: list[str], sentence: str
) -> None:
    with pytest.raises(UserError) as error:
        Space.of(preset, arguments)[0].distributions()
    assert sentence in str(error.value)
