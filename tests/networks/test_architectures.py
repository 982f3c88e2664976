import pytest

from prnn_cli.errors import UserError
from prnn_cli.networks.architectures import subnet_inputs


@pytest.mark.parametrize(
    ("subnets", "sources", "order", "expected"),
    [
        ("id", ["image", "text"], None, {"id": ["id"]}),
        ("feature", ["text"], None, {"text": ["text"]}),
        ("concatenated", ["image", "text"], None, {"concatenated": ["id", "image", "text"]}),
        ("each", ["image", "text"], None, {"id": ["id"], "image": ["image"], "text": ["text"]}),
        ("each", ["clip"], ["clip", "id"], {"clip": ["clip"], "id": ["id"]}),
    ],
)
def test_subnets_and_what_they_are_fed(
    subnets: str, sources: list[str], order: list[str] | None, expected: dict[str, list[str]]
) -> None:
    found = subnet_inputs("some", subnets, sources, order)
    assert found == expected
    assert list(found) == list(expected)


@pytest.mark.parametrize(
    ("subnets", "sources", "order", "message"),
    [
        ("each", [], None, "arch=some needs features; add features=text"),
        ("feature", [], None, "arch=some needs features"),
        ("feature", ["image", "text"], None, "takes one kind of feature, not image, text"),
        ("each", ["text"], ["id"], r"arch.order=\[id\] must hold each of id, text once"),
        ("each", ["text"], ["id", "text", "text"], "must hold each of id, text once"),
    ],
)
def test_what_makes_no_sense_is_refused(
    subnets: str, sources: list[str], order: list[str] | None, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        subnet_inputs("some", subnets, sources, order)
