"""The origin of a run: which changes make another one of it, and how it says so."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from prnn_cli.errors import UserError
from prnn_cli.origin import Origin, decided_by

CONFIG: dict[str, Any] = {
    "seed": 42,
    "epochs": 10,
    "label": None,
    "recipe": {"dropout": 0.2, "batch_size": 50},
}
FILE = Path("runs/mine/model.safetensors")


def origin_of(**changes: Any) -> Origin:
    config = OmegaConf.create(CONFIG | changes)
    return Origin.of(config, "data", "items", {"text": "words", "image": "pixels"}, {"LOSSES mine": "source"})


def refusal(found: Origin) -> str:
    with pytest.raises(UserError) as refused:
        origin_of().refuse_other(FILE, found, "restore it")
    return str(refused.value)


def test_what_may_change_on_resumption_leaves_the_origin_as_it_is() -> None:
    same = origin_of(label="mine", hardware={"threads": 3}, recipe={"batch_size": 50.0, "dropout": 0.2})
    assert same == origin_of()
    origin_of().refuse_other(FILE, same, "restore it")


def test_a_file_of_another_run_is_refused_by_what_differs() -> None:
    assert "model.safetensors belongs to another run: its seed is 7, not 42; restore it" in refusal(
        origin_of(seed=7)
    )
    other = origin_of(recipe={"dropout": 0.3, "batch_size": 50})
    assert "it was made by other settings than those in .hydra/config.yaml" in refusal(other)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"data": "other"}, "the data have changed since runs/mine/model.safetensors was made"),
        ({"items": "other"}, "the data have changed since"),
        (
            {"vectors": {"text": "others", "image": "pixels"}},
            "the vectors of text have changed since runs/mine",
        ),
        ({"vectors": {}}, "the vectors of text, image have changed since"),
        ({"code": {}}, "the code of LOSSES mine has changed since"),
    ],
)
def test_a_file_from_before_a_change_is_refused_by_what_has_changed(changes: Any, sentence: str) -> None:
    assert sentence in refusal(replace(origin_of(), **changes))


def test_an_origin_is_read_as_it_was_written() -> None:
    assert Origin.read(origin_of().as_json(), FILE) == origin_of()


@pytest.mark.parametrize("stored", [None, {}, [], {**origin_of().as_json(), "more": 1}])
def test_what_is_no_origin_is_refused(stored: Any) -> None:
    with pytest.raises(UserError, match="is damaged: it does not say what it was made from"):
        Origin.read(stored, FILE)


def test_seed_and_epochs_are_told_apart_from_the_other_settings() -> None:
    one, other = (decided_by(OmegaConf.create({**CONFIG, "seed": n, "epochs": 10 * n})) for n in (1, 2))
    assert (one[:2], other[:2]) == (("1", "10"), ("2", "20"))
    assert one[2] == other[2]


def test_only_a_checkpoint_may_be_of_other_epochs() -> None:
    shorter = origin_of(epochs=5)
    assert "belongs to another run: its epochs are 5, not 10; restore it" in refusal(shorter)
    origin_of().refuse_other_beginning(FILE, shorter, "restore it")
    with pytest.raises(UserError, match="its seed is 7, not 42"):
        origin_of().refuse_other_beginning(FILE, origin_of(seed=7), "restore it")
