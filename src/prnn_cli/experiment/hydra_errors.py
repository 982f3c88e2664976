"""Hydra's and OmegaConf's errors -> one sentence with the valid choices."""

import dataclasses
import difflib
import re
import typing

from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, ValidationError

from prnn_cli.experiment.override_text import why_unreadable
from prnn_cli.extensions import config_folders, extensions, options_class, registered


def explain(error: Exception, schema: type) -> str:
    """The sentence for an error of Hydra or OmegaConf; `schema` (of the command) has the valid keys."""
    causes = list(_causes(error))
    text = "\n".join(str(cause) for cause in causes)
    for cause in causes:
        match cause:
            case OverrideParseException():
                return why_unreadable(str(cause.override))
            case MissingConfigException() if cause.missing_cfg_file and cause.options is not None:
                group, _, choice = cause.missing_cfg_file.rpartition("/")
                return f"{group}={choice} does not exist; choose one of {', '.join(cause.options)}"
            case MissingConfigException() if found := re.search(r"Could not load '(.+)/(.+)'", str(cause)):
                for extension in extensions():  # one that cannot be loaded is what is wrong
                    extension.module()
                valid = sorted(
                    {file.stem for folder in config_folders() for file in folder.glob(f"{found[1]}/*.yaml")}
                )
                return f"{found[1]}=[{found[2]}] does not exist; choose any of {', '.join(valid)}"
            case ConfigKeyError() | ConfigAttributeError():
                return _unknown_key(str(cause), text, schema)
            case ValidationError():
                return _wrong_type(text, schema)
    if match := re.search(r"Key '(\w+)' not in '(\w+)'", text):  # in a config file of the user's
        return _unknown_key(match[0], text, schema)
    if missing := _find(r"[Mm]issing mandatory value: (\S+)", text):
        # Where it was missed, which may be another option that uses it.
        path = _find(r"full_key: (\S+)", text)
        key = path if path.endswith(missing) else missing
        return f"{key} has no value; add {key}=VALUE"
    if override := _find(r"Ambiguous value for argument '(.*)'", text):
        return f"{override} holds several values; add -m to sweep over them, or write a list as KEY=[A,B]"
    return " ".join(str(causes[0]).partition("Config search path")[0].split())


def _causes(error: BaseException | None) -> typing.Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _find(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    return match[1] if match else ""


def _unknown_key(message: str, text: str, schema: type) -> str:
    key = _find(r"full_key: (\S+)", message) or _find(r"Key '([^']*)'", message)
    owner = _find(r"Key '[^']*' not in '(\w+)'", message)
    parent, _, name = key.rpartition(".")
    node = _node_at(parent, schema)
    if owner and getattr(node, "__name__", "") != owner:  # inside a list, where the path is cut off
        node, parent = _config_class(owner), ""
    if not dataclasses.is_dataclass(node):
        group, _, rest = key.partition(".")
        if group == "baselines" and rest.split(".")[0] in registered("BASELINES"):
            return f"{key}: {rest.split('.')[0]} is not among the baselines; add it to baselines=[…]"
        if typing.get_origin(node) is dict:
            return f"{key} is not there yet; write +{key}=… to add it"
        return f"{key} is not an option; --help shows those that are"
    valid = [f"{parent}.{field.name}".strip(".") for field in dataclasses.fields(node)]
    close = difflib.get_close_matches(f"{parent}.{name}".strip("."), valid, n=1)
    guess = f"did you mean {close[0]}? " if close else ""
    return f"{key} is not an option; {guess}valid here: {', '.join(valid)}"


def _wrong_type(text: str, schema: type) -> str:
    key = _find(r"full_key: (\S+)", text)
    value = _find(r"Value '(.*?)' of type", text)
    given = _find(r"Error merging override (.*)", text) or (f"{key}={value}" if value else key)
    kind = _type_at(key, schema)
    listed = _without_none(kind)
    elements = typing.get_args(listed) if typing.get_origin(listed) is list else ()
    _, _, alone = given.partition("=")
    # A single word or number, where a list of these is wanted.
    teach = f"; write {key}=[{alone}]" if alone and elements and elements[0] in (str, int, float) else ""
    return f"{given} does not fit; {key} must be {_in_words(kind)}{teach}"


def _in_words(kind: object) -> str:
    arms = typing.get_args(kind)
    if type(None) in arms:
        return " or ".join([*(_in_words(arm) for arm in arms if arm is not type(None)), "null"])
    if typing.get_origin(kind) is list:
        return f"a list, each element {_in_words(arms[0])}"
    if dataclasses.is_dataclass(kind):
        return f"a group of {', '.join(field.name for field in dataclasses.fields(kind))}"
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    return names.get(typing.cast(type, kind), "another kind of value")


def _type_at(path: str, schema: type) -> object:
    """The declared type of the option at a dotted path, such as subnets.id.dropout or evaluation.cutoffs[0]."""
    kind: object = schema
    registry: str | None = None  # whose entries declare the types of what comes next
    for part in re.findall(r"[^.\[\]]+", path):
        kind = _without_none(kind)
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            owner = next((each for each in dataclasses.fields(kind) if each.name == part), None)
            kind = typing.get_type_hints(kind).get(part)
            registry = owner.metadata.get("options_of") if owner else None
        elif registry:
            kind, registry = options_class(registered(registry).get(part)), None
        else:  # an element of a list, or a subnet, which may have any name
            kind = (typing.get_args(kind) or (None,))[-1]
    return kind


def _node_at(path: str, schema: type) -> object:
    return _without_none(_type_at(path, schema))


def _without_none(kind: object) -> object:
    arms = typing.get_args(kind)
    return next(arm for arm in arms if arm is not type(None)) if type(None) in arms else kind


def _config_class(name: str) -> object:
    from prnn_cli import schema

    return getattr(schema, name, None)
