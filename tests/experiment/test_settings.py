"""What a command line composes to, with the options of what it names in the types that these declare."""

from dataclasses import dataclass

import pytest
from omegaconf import OmegaConf

from prnn_cli.baselines.baseline import NoOptions
from prnn_cli.baselines.item_knn import ItemKnnOptions
from prnn_cli.errors import UserError
from prnn_cli.experiment.settings import (
    composed,
    composed_config,
    schema_of,
    typed_options,
    typed_settings,
    with_new_options,
)
from prnn_cli.extensions import WithOptions
from prnn_cli.schema import TrainCommand


@dataclass
class Options:
    rate: float
    rounds: int = 3


ENTRY = WithOptions(lambda *arguments: arguments, Options)


def test_settings_are_typed_down_to_the_options_of_what_they_name() -> None:
    settings = composed("train", ["baselines=[item_knn,markov]", "baselines.item_knn.num_neighbours=7"])
    assert isinstance(settings, schema_of("train"))
    assert isinstance(settings, TrainCommand)
    assert isinstance(settings.baselines["item_knn"], ItemKnnOptions)
    assert settings.baselines["item_knn"].num_neighbours == 7
    assert settings.baselines["markov"] == NoOptions()
    assert settings.recipe.options is None


def test_options_that_came_after_a_run_have_their_defaults_also_where_these_are_null() -> None:
    config = OmegaConf.create(OmegaConf.to_container(composed_config("train", ["seed=7"])))
    for group, name in (("dataset.columns", "milliseconds"), ("dataset", "min_item_support")):
        del OmegaConf.select(config, group)[name]
    settings = typed_settings("train", with_new_options("train", config))
    assert isinstance(settings, TrainCommand)
    assert (settings.dataset.columns.milliseconds, settings.dataset.min_item_support) == (None, 5)
    assert settings.seed == 7


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("epochs=0", "epochs=0 is too small"),
        ("epochs=x", "epochs=x does not fit"),
        ("+nothing=1", "nothing is not an option"),
        (
            "dataset.filters.foo=1",
            r"names a key within a list, which has none; set the list as a whole, KEY=\[…\]",
        ),
        (
            "dataset.items.vector_columns={text: v}",
            r"vector_columns\.text is not there yet; write \+dataset\.items",
        ),
        ("+recipe.options.rate=1", r"recipe\.options takes no options, but rate is given; leave it out"),
    ],
)
def test_what_cannot_be_composed_is_a_sentence(override: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        composed("train", [override])


def test_options_are_an_instance_of_the_class_that_the_entry_declares() -> None:
    assert typed_options(ENTRY, {"rate": 1}, "recipe.options") == Options(1.0, 3)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"rate": "x"}, "rate must be a number"),
        ({"rate": 1, "round": 2}, "round is not an option; did you mean rounds"),
        ({}, "rate has no value"),
    ],
)
def test_wrong_options_are_a_sentence_with_their_path(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError, match=rf"recipe\.options: .*{sentence}"):
        typed_options(ENTRY, given, "recipe.options")
