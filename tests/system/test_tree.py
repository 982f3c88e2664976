from dataclasses import dataclass, field

import torch
from torch import Tensor

from prnn_cli.system.tree import map_tensors, tensors_of, unbind, with_tensors


@dataclass(frozen=True)
class Inner:
    value: Tensor
    weight: Tensor | None = None


@dataclass(frozen=True)
class Outer:
    name: str
    first: Inner
    by_name: dict[str, Inner]
    pair: tuple[Tensor, str]
    history: list[int] = field(default_factory=list)


def numbers(*values: int) -> Tensor:
    return torch.tensor(values)


TREE = Outer(
    "tree",
    Inner(numbers(1, 2), numbers(3, 4)),
    {"b": Inner(numbers(5, 6)), "a": Inner(numbers(7, 8))},
    (numbers(9, 0), "x"),
)


def test_tensors_stand_in_the_order_of_fields_and_keys() -> None:
    assert [each.tolist() for each in tensors_of(TREE)] == [[1, 2], [3, 4], [5, 6], [7, 8], [9, 0]]


def test_a_tree_made_of_other_tensors_has_them_in_this_order_and_keeps_the_rest() -> None:
    others = [numbers(n) for n in range(5)]
    made = with_tensors(TREE, others)
    assert all(a is b for a, b in zip(tensors_of(made), others, strict=True))
    assert (made.name, list(made.by_name), made.pair[1]) == ("tree", ["b", "a"], "x")
    assert made.by_name["a"].weight is None
    assert made.history is TREE.history
    assert tensors_of(TREE)[0].tolist() == [1, 2]


def test_a_function_is_applied_to_every_tensor() -> None:
    doubled = map_tensors(lambda each: 2 * each, TREE)
    assert doubled.by_name["a"].value.tolist() == [14, 16]
    assert [each.tolist() for each in tensors_of(doubled)] == [
        (2 * each).tolist() for each in tensors_of(TREE)
    ]


def test_what_holds_no_tensor_is_kept_itself() -> None:
    nothing = {"a": (1, None)}
    assert tensors_of(nothing) == []
    assert map_tensors(torch.neg, nothing) is nothing


def test_unbind_gives_a_tree_for_each_place_of_the_first_dimension() -> None:
    first, second = unbind(TREE)
    assert [each.item() for each in tensors_of(first)] == [1, 3, 5, 7, 9]
    assert [each.item() for each in tensors_of(second)] == [2, 4, 6, 8, 0]
    assert second.by_name["b"].weight is None
    assert second.name == "tree"
