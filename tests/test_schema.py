import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from omegaconf import OmegaConf

from commands.conftest import Result, refusal
from prnn_cli import schema
from prnn_cli.errors import UserError
from prnn_cli.extensions import own_configs
from prnn_cli.schema import (
    DatasetConfig,
    EvaluationConfig,
    FeaturesCommand,
    Mark,
    RecommendCommand,
    TrainCommand,
    VerdictCommand,
    check,
    is_marked,
    marked,
)

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]

WRONG = {
    "epochs=0": "epochs=0 is too small; it must be at least 1",
    "recipe.num_sampled=-1": "num_sampled=-1 cannot be drawn; give a whole number from 0, or all to score every",
    "recipe.num_sampled=1.5": "recipe.num_sampled=1.5 cannot be drawn",
    "recipe.logq=1.5": "recipe.logq=1.5 is too large; it must be at most 1",
    "recipe.dropout=1": "recipe.dropout=1.0 is too large; it must be below 1",
    "subnets.id.momentum=1": "subnets.id.momentum=1.0 is too large; it must be below 1",
    "recipe.loss=foo": "recipe.loss=foo does not exist; choose one of top1, top1_max, bpr",
    "evaluation.tie_break=luck": "choose one of conservative, median, standard",
    "dataset.list_separator=''": "dataset.list_separator='' cannot be; give one or more characters",
    "dataset.separator='\"'": "dataset.separator='\"' cannot be; give one or more characters",
    "dataset.columns.session_id=[]": "dataset.columns.session_id=[] must be a column, several as",
    "dataset.columns.session_id=[user,null]": "dataset.columns.session_id=['user', None] must be a column",
    "dataset.header=[a,a]": "dataset.header=['a', 'a'] must name each column",
    "dataset.items.header=[]": "dataset.items.header=[] must name each column",
    "dataset.quoting=single": "dataset.quoting=single does not exist; choose one of auto, double, none",
    "dataset.columns.time=null": "time=null leaves the log without times, by which dataset.split=days splits it",
    "dataset.list_item='^x-1$'": "dataset.list_item=^x-1$ is no regular expression with one group",
    "dataset.list_item='(x'": "dataset.list_item=(x is no regular expression with one group",
    "dataset.items.path=[]": "dataset.items.path=[] must be a file, a folder or a glob, or a list of such",
    "dataset.items.vectors=[a.npy]": "dataset.items.vectors=['a.npy'] must be a file, or one for each source",
    "dataset.items.properties.value=v": "dataset.items.properties.property=null and dataset.items.properties.value=v",
    "evaluation.candidates=-3": "evaluation.candidates=-3 is no set of items; give all, or a number N",
}


def test_the_marked_options_of_a_command() -> None:
    assert marked(TrainCommand, Mark.PATH) == (
        "dataset.path",
        "dataset.test_path",
        "dataset.items.path",
        "dataset.items.image_root",
        "dataset.items.vectors",
        "features.images.weights",
        "features.precomputed.path",
        "features.precomputed.item_ids",
    )
    assert marked(DatasetConfig, Mark.UNHASHED) == (
        "name",
        "path",
        "files",
        "source",
        "test_path",
        "min_ranked_events",
        "scale",
        "synthetic",
        "profile",
        "items",
    )


@pytest.mark.parametrize(
    ("key", "is_free"),
    [("seeds", True), ("seed", False), ("hardware.threads", True), ("search.space.epochs", True)],
)
def test_the_mark_of_a_group_holds_for_all_that_is_in_it(key: str, is_free: bool) -> None:
    assert is_marked(key, Mark.FREE_ON_RESUME) == is_free


def test_an_option_may_have_any_of_several_marks() -> None:
    assert [is_marked(key, Mark.PATH, Mark.SHARES_ROW) for key in ("dataset.path", "seed", "epochs")] == [
        True,
        True,
        False,
    ]


def test_no_mark_stands_where_it_is_not_found() -> None:
    """Each marked field of any class is an option of prnn verdict, of which prnn train's are a part."""
    assert [marked(each, Mark.ITEM_IDS) for each in (FeaturesCommand, RecommendCommand)] == [
        ("similar",),
        ("session",),
    ]
    for mark in set(Mark) - {Mark.ITEM_IDS}:
        found = {name.rpartition(".")[2] for name in marked(VerdictCommand, mark)}
        classes = [each for each in vars(schema).values() if dataclasses.is_dataclass(each)]
        fields = [spec for each in classes for spec in dataclasses.fields(each)]
        assert {spec.name for spec in fields if mark in spec.metadata.get("marks", ())} == found


def evaluation(**changes: Any) -> EvaluationConfig:
    defaults = OmegaConf.load(own_configs() / "evaluation" / "all_items.yaml")
    config = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(EvaluationConfig), defaults, changes))
    assert isinstance(config, EvaluationConfig)
    return config


@pytest.mark.parametrize("changes", [{}, {"candidates": 50_000}, {"cutoffs": [1, 5, 20]}])
def test_valid_settings_pass(changes: dict[str, Any]) -> None:
    check(evaluation(**changes), "evaluation.")


@pytest.mark.parametrize("candidates", ["some", "", 0, -1, 2.5, True, None, [5]])
def test_candidates_are_all_or_a_positive_number(candidates: Any) -> None:
    with pytest.raises(UserError, match=r"^evaluation\.candidates=.*give all, or a number"):
        check(evaluation(candidates=candidates), "evaluation.")


@pytest.mark.parametrize("cutoffs", [[], [0], [20, -5], [20, 20]])
def test_cutoffs_are_different_positive_numbers(cutoffs: list[int]) -> None:
    with pytest.raises(UserError, match=r"^evaluation\.cutoffs=.*give different numbers from 1"):
        check(evaluation(cutoffs=cutoffs), "evaluation.")


@pytest.mark.parametrize("changes", [{"tie_break": "random"}, {"part": "train"}])
def test_an_unknown_choice_lists_the_valid_ones(changes: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="choose one of"):
        check(evaluation(**changes), "evaluation.")


@pytest.mark.parametrize("override", WRONG)
def test_a_value_that_no_run_can_have_is_one_sentence_with_its_bound(prnn: Prnn, override: str) -> None:
    assert WRONG[override] in refusal(prnn("train", override))
