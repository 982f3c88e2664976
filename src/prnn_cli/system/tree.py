"""Trees of tensors: dataclasses, dicts and tuples, in each other, that hold tensors.

A step is written for dataclasses, but compilers and loops take flat lists: these functions go from one to the other.
The order of the tensors is that of the fields and keys, so two trees of the same structure list them alike. Whatever
else stands in a tree, such as a name, a list or None, is kept as it is.
"""

from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from torch import Tensor

T = TypeVar("T")


def tensors_of(tree: object) -> list[Tensor]:
    """The tensors of a tree, in the order in which `with_tensors` takes them."""
    if isinstance(tree, Tensor):
        return [tree]
    return [tensor for child in _children(tree).values() for tensor in tensors_of(child)]


def map_tensors(function: Callable[[Tensor], Tensor], tree: T) -> T:
    """A tree of the same structure that holds `function` of each tensor; parts without any are shared, not copied."""
    if isinstance(tree, Tensor):
        return function(tree)  # type: ignore[return-value]
    made = {key: map_tensors(function, child) for key, child in _children(tree).items() if tensors_of(child)}
    return _with_children(tree, made) if made else tree


def with_tensors(tree: T, tensors: Iterable[Tensor]) -> T:
    """A tree of the same structure that holds these tensors instead of its own."""
    values = iter(tensors)
    return map_tensors(lambda _: next(values), tree)


def unbind(tree: T) -> list[T]:
    """The trees along the first dimension, which is of the same length in all tensors."""
    if isinstance(tree, Tensor):
        return list(tree.unbind())  # type: ignore[arg-type]
    parts = {key: unbind(child) for key, child in _children(tree).items() if tensors_of(child)}
    return [
        _with_children(tree, dict(zip(parts, step, strict=True)))
        for step in zip(*parts.values(), strict=True)
    ]


def _children(tree: Any) -> dict[Any, Any]:
    if isinstance(tree, dict):
        return tree
    if isinstance(tree, tuple):
        return dict(enumerate(tree))
    return {field.name: getattr(tree, field.name) for field in fields(tree)} if is_dataclass(tree) else {}


def _with_children(tree: Any, children: dict[Any, Any]) -> Any:
    if isinstance(tree, dict):
        return tree | children
    if isinstance(tree, tuple):
        return tuple(children.get(key, child) for key, child in enumerate(tree))
    return replace(tree, **children)
