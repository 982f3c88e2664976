"""How an option is declared: its bounds and marks beside its type, and the check of values against them."""

import dataclasses
from collections.abc import Sequence
from dataclasses import field
from enum import Enum
from functools import cache
from typing import Any

from omegaconf import MISSING

from prnn_cli.errors import UserError

AUTO = "auto"  # of epochs, and of some numbers


class Mark(Enum):
    """A fact about an option; the mark of a group holds for all that is in it."""

    PATH = "names a file, wherever the run is taken up"
    FREE_ON_RESUME = "may differ between a run and its resumption, as it changes no number that is trained"
    UNHASHED = "takes no part in the hash of prepared data, as the content of the files stands for it"
    SHARES_ROW = "runs that differ in nothing else share a row of a table"
    ITEM_IDS = "takes ids of items, which stay the text that is typed"


def option(*marks: Mark) -> Any:
    return field(default=MISSING, metadata={"marks": marks})


def group(config: type, *marks: Mark) -> Any:
    return field(default_factory=config, metadata={"marks": marks})


def bounded(
    at_least: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
    above: float | None = None,
    marks: Sequence[Mark] = (),
) -> Any:
    bounds = {"at_least": at_least, "at_most": at_most, "below": below, "above": above}
    return field(default=MISSING, metadata={**bounds, "marks": marks})


def one_of(*choices: str) -> Any:
    return field(default=MISSING, metadata={"choices": choices})


def options_of(kind: str, named_by: str | None = None, marks: Sequence[Mark] = ()) -> Any:
    """Options whose types the entries of a registry declare (`extensions.HOMES`): those of the entry that the option
    `named_by` beside them names; without it those of several entries, by their names."""
    return field(default=MISSING, metadata={"options_of": kind, "named_by": named_by, "marks": marks})


@cache
def marked(config: type, mark: Mark) -> tuple[str, ...]:
    """The marked options of a config class, such as dataset.items.path, and marked groups in place of their options.

    What may be null, or has names or elements of the user's, is marked as a whole: it is not looked into.
    """
    found: list[str] = []
    for spec in dataclasses.fields(config):
        inner: Any = spec.default_factory
        if mark in spec.metadata.get("marks", ()):
            found.append(spec.name)
        elif inner is not dataclasses.MISSING:
            found += [f"{spec.name}.{name}" for name in marked(inner, mark)]
    return tuple(found)


def check(config: Any, path: str = "") -> None:
    """Raises `UserError` for the first value of a (nested) config object that lies outside its bounds."""
    for spec in dataclasses.fields(config):
        value = getattr(config, spec.name)
        name = f"{path}{spec.name}"
        for where, inner in _nested(value, name):
            check(inner, f"{where}.")
        if value is not None:
            _check_bounds(name, value, spec.metadata)
    if hasattr(config, "check_values"):
        config.check_values(path)


def check_number(name: str, value: Any, *words: str, note: str = "") -> None:
    """Raises `UserError` for what is neither one of the words nor a whole number from 1."""
    value = "null" if value is None else value
    is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    if value not in words and not is_number:
        raise UserError(
            f"{name}={value} cannot be used; give {', '.join(words)}, or a whole number from 1{note}"
        )


def _nested(value: Any, name: str) -> list[tuple[str, Any]]:
    if dataclasses.is_dataclass(value):
        return [(name, value)]
    if isinstance(value, dict):
        return [(f"{name}.{key}", inner) for key, inner in value.items() if dataclasses.is_dataclass(inner)]
    if isinstance(value, list):
        return [(f"{name}[{i}]", inner) for i, inner in enumerate(value) if dataclasses.is_dataclass(inner)]
    return []


def _check_bounds(name: str, value: Any, bounds: Any) -> None:
    choices = bounds.get("choices")
    if choices and value not in choices:
        raise UserError(f"{name}={value} does not exist; choose one of {', '.join(choices)}")
    low, high, below, above = (bounds.get(name) for name in ("at_least", "at_most", "below", "above"))
    if low is not None and not value >= low:
        raise UserError(f"{name}={value} is too small; it must be at least {low:g}")
    if high is not None and not value <= high:
        raise UserError(f"{name}={value} is too large; it must be at most {high:g}")
    if above is not None and not value > above:
        raise UserError(f"{name}={value} is too small; it must be above {above:g}")
    if below is not None and not value < below:
        raise UserError(f"{name}={value} is too large; it must be below {below:g}")
