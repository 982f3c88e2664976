"""What a JSON file must hold: the keys of its objects and the types of their values, looked at before it is used."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

LARGEST = 1e15  # of numbers; larger ones are no times, counts or metrics

Shape = Any  # a name in `CHECKS`, a tuple of shapes one of which fits, [shape] of a list, {key: shape} of an object

CHECKS: dict[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "word": lambda value: isinstance(value, str) and bool(re.fullmatch(r"\w+", value)),
    "null": lambda value: value is None,
    "number": lambda value: _is_number(value) and (abs(value) <= LARGEST or math.isnan(value)),
    "count": lambda value: isinstance(value, int) and _is_number(value) and 0 <= value <= LARGEST,
    "anything": lambda value: True,
}


def misfit(value: Any, shape: Shape, path: str = "") -> str:
    """What in `value` is not as `shape` says, for a sentence such as "train.events is no count"; empty where all is.

    A key that ends in "?" may be missing; ANY stands for all keys that are not named.
    """
    if isinstance(shape, str):
        return "" if CHECKS[shape](value) else f"{path or 'it'} is no {shape}"
    if isinstance(shape, tuple):
        found = [misfit(value, each, path) for each in shape]
        return "" if "" in found else found[0]
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{path or 'it'} is no list"
        return next(
            filter(None, (misfit(each, shape[0], f"{path}[{n}]") for n, each in enumerate(value))), ""
        )
    if not isinstance(value, dict):
        return f"{path or 'it'} is no object"
    return next(filter(None, _misfits_of_keys(value, shape, path)), "")


ANY = "*"


def _misfits_of_keys(value: Mapping[str, Any], shape: Mapping[str, Shape], path: str) -> Iterator[str]:
    named = {key.removesuffix("?") for key in shape}
    for key, inner in shape.items():
        name = key.removesuffix("?")
        if name in value:
            yield misfit(value[name], inner, f"{path}.{name}".lstrip("."))
        elif key == name and key != ANY:
            yield f"it lacks {f'{path}.{name}'.lstrip('.')}"
    if ANY in shape:
        yield from (
            misfit(each, shape[ANY], f"{path}.{name}".lstrip("."))
            for name, each in value.items()
            if name not in named
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
