"""YAML that others wrote: how much it may hold is looked at before anything is made of it."""

import re
from typing import Any

import yaml
from yaml.events import AliasEvent, CollectionStartEvent, NodeEvent

MAX_VALUES = 20_000  # once every alias is written out
MAX_DEPTH = 50
PLAIN_TAGS = ("bool", "float", "int", "map", "null", "seq", "str")

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def check_yaml(text: str) -> None:
    """Raises `ValueError` for YAML that is nested too deep, unfolds to too many values, or names types of Python's.

    Nothing is built, so that neither a tag nor an alias (*name), each of which may double what is there, can cost
    anything. Raises PyYAML's `YAMLError` for what is no YAML.
    """
    sizes: dict[str | None, int] = {}  # of what an anchor names
    above = [0]  # the number of values so far in each collection that is open; the document's own first
    anchors: list[str | None] = []
    for event in yaml.parse(text, LOADER):
        if isinstance(event, CollectionStartEvent):
            above.append(1)
            anchors.append(event.anchor)
        elif isinstance(event, AliasEvent):
            above[-1] += sizes.get(event.anchor, MAX_VALUES)  # unknown: within itself
        elif isinstance(event, NodeEvent):
            above[-1] += 1
            sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionEndEvent):
            size = above.pop()
            sizes[anchors.pop()] = size
            above[-1] += size
        if len(above) > MAX_DEPTH:
            raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
        if max(above) > MAX_VALUES:
            raise ValueError(f"it holds more than {MAX_VALUES:,} values, with what its aliases stand for")
        tag = getattr(event, "tag", None)
        if tag and tag.removeprefix("tag:yaml.org,2002:") not in PLAIN_TAGS and tag != "!":
            raise ValueError(f"it holds a value of the type {tag}, which is none of {', '.join(PLAIN_TAGS)}")


def escaped(value: Any) -> Any:
    """The same values, with each text written so that OmegaConf resolves nothing in it."""
    if isinstance(value, dict):
        return {key: escaped(each) for key, each in value.items()}
    if isinstance(value, list):
        return [escaped(each) for each in value]
    if isinstance(value, str):
        return re.sub(r"(\\*)\$\{", r"\1\1\\${", value)
    return value
