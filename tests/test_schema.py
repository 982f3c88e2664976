import dataclasses

import pytest

from prnn_cli import schema
from prnn_cli.schema import DatasetConfig, Mark, TrainCommand, is_marked, marked


def test_the_marked_options_of_a_command() -> None:
    assert marked(TrainCommand, Mark.PATH) == (
        "dataset.path",
        "dataset.items.path",
        "dataset.items.vectors",
        "features.images.weights",
        "features.precomputed.path",
        "features.precomputed.item_ids",
    )
    assert marked(DatasetConfig, Mark.UNHASHED) == ("name", "path", "scale", "synthetic", "profile", "items")


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
    """Each marked field of any class is among the options of prnn train, where marks are looked for."""
    for mark in Mark:
        found = {name.rpartition(".")[2] for name in marked(TrainCommand, mark)}
        classes = [each for each in vars(schema).values() if dataclasses.is_dataclass(each)]
        fields = [spec for each in classes for spec in dataclasses.fields(each)]
        assert {spec.name for spec in fields if mark in spec.metadata.get("marks", ())} == found
