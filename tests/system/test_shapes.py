import json

import pytest

from prnn_cli.system.shapes import ANY, misfit

SHAPE = {
    "name": "text",
    "row": ("text", "null"),
    "epochs": "count",
    "hash?": "word",
    "loss?": "number",
    "each": {ANY: ["count"]},
}
WHOLE = {"name": "a", "row": None, "epochs": 3, "loss": float("nan"), "each": {"x": [1, 2]}, "more": object()}


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, ""),
        ({"row": "parallel_res"}, ""),
        ({"hash": "../elsewhere"}, "hash is no word"),
        ({"name": None}, "name is no text"),
        ({"row": 3}, "row is no text"),
        ({"epochs": -1}, "epochs is no count"),
        ({"epochs": True}, "epochs is no count"),
        ({"epochs": 1.5}, "epochs is no count"),
        ({"loss": json.loads("1e999")}, "loss is no number"),
        ({"each": {"x": [1, "2"]}}, "each.x[1] is no count"),
        ({"each": {"x": 1}}, "each.x is no list"),
        ({"each": []}, "each is no object"),
    ],
)
def test_the_first_misfit_is_named(change: dict[str, object], wrong: str) -> None:
    assert misfit(WHOLE | change, SHAPE) == wrong


def test_a_key_that_is_missing_is_named_unless_it_may_be() -> None:
    for key in ("name", "loss"):
        left = {name: value for name, value in WHOLE.items() if name != key}
        assert misfit(left, SHAPE) == ("it lacks name" if key == "name" else "")
