"""A composed configuration -> the typed settings that a command runs on, checked against every bound."""

import dataclasses
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from prnn_cli import schema
from prnn_cli.errors import UserError, first_line
from prnn_cli.experiment.epochs import with_epochs_made_out
from prnn_cli.experiment.hydra_errors import explain
from prnn_cli.extensions import chosen, commands, config_folders, extensions, options_class, own_configs


def schema_of(command: str) -> type:
    """The dataclass of a command's options: prnn's own stand in schema/, where no command need be imported."""
    own: type | None = getattr(schema, f"{command.title()}Command", None)
    return own or options_class(chosen("COMMANDS", command, "prnn")) or NoOptions


@cache
def _without_values(schema: type) -> DictConfig:
    """The schema as OmegaConf has it; merging begins with a copy."""
    structured: DictConfig = OmegaConf.structured(schema)
    return structured


@dataclasses.dataclass
class NoOptions:
    """The options of a command that has none."""


log = logging.getLogger(__name__)

_registered: dict[str, type] = {}


def register_schemas() -> None:
    """Makes the types of every command's options known to Hydra; those that it knows already stay."""
    for command in commands():
        if _registered.get(command) is not (schema := schema_of(command)):
            ConfigStore.instance().store(name=f"{command}_schema", node=schema)
            _registered[command] = schema


@contextmanager
def composition_explained(command: str, arguments: Sequence[str]) -> Iterator[None]:
    """Turns the errors of Hydra, OmegaConf and YAML about a configuration into a `UserError`."""
    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(explain(error, schema_of(command))) from error
    except YAMLError as error:
        raise UserError(f"a config file is no valid YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise UserError("a config file is nested too deep to be read") from error
    except UnicodeDecodeError as error:
        raise UserError(f"a config file is no text in UTF-8 ({error})") from error
    except ValueError as error:
        given = ", ".join(arguments)
        if "header format" in str(error):  # Hydra's, of "# @package"
            raise UserError(f"a config file begins with a line that Hydra cannot read: {error}") from error
        if "invalid literal for int()" in str(error):  # of dataset.filters.foo=1
            raise UserError(
                f"an override names a key within a list, which has none; set the list as a whole, KEY=[…] (in {given})"
            ) from error
        if "Config group override" not in str(error):  # Hydra's, of arch=0
            raise
        raise UserError(
            f"a group needs the name of one of its choices, not a number or null (in {given})"
        ) from error


@contextmanager
def other_hydra_set_aside() -> Iterator[None]:
    """Without the Hydra of whoever calls, such as an application that uses prnn from Python; later it is back."""
    instance = GlobalHydra.instance()
    before = instance.hydra
    instance.clear()
    try:
        yield
    finally:
        instance.clear()
        if before is not None:
            instance.initialize(before)


def composed(command: str, overrides: Sequence[str]) -> Any:
    """The typed settings of a command line, composed outside of one. Raises `UserError` for what is wrong in it."""
    return typed_settings(command, composed_config(command, overrides))


def composed_config(command: str, overrides: Sequence[str]) -> DictConfig:
    """The configuration of a command line, composed outside of one. Raises `UserError` for what is wrong in it."""
    register_schemas()
    with (
        other_hydra_set_aside(),
        composition_explained(command, overrides),
        initialize_config_dir(str(own_configs()), version_base="1.3"),
    ):
        return compose(command, list(overrides))


def with_new_options(command: str, config: DictConfig) -> DictConfig:
    """A configuration of an earlier version, with the options that came later: each as this version has it by default.

    What this version has no default for stays absent.
    """
    typed = OmegaConf.merge(_without_values(schema_of(command)), OmegaConf.to_container(config))
    lacking = [key for key in sorted(OmegaConf.missing_keys(typed)) if OmegaConf.select(config, key) is None]
    if not lacking:
        return config
    config = config.copy()
    defaults = composed_config(command, [])
    for key in lacking:
        group, _, name = key.rpartition(".")
        if name in (
            (OmegaConf.select(defaults, group) if group else defaults) or {}
        ):  # also where its default is null
            OmegaConf.update(config, key, OmegaConf.select(defaults, key), force_add=True)
    log.info("options that came after this run have their defaults: %s", ", ".join(lacking))
    return config


def choices_of(group: str) -> list[str]:
    """The choices of a config group, those of folders that the command line names too."""
    hydra = GlobalHydra.instance()
    if hydra.is_initialized():
        return hydra.config_loader().get_group_options(group)
    return sorted(path.stem for folder in config_folders() for path in (folder / group).glob("*.yaml"))


def typed_settings(command: str, config: DictConfig) -> Any:
    """An instance of the command's schema. Raises `UserError` for whatever in it no run can have."""
    try:
        # Merged once more, as +KEY=VALUE may have added what no command knows.
        typed = OmegaConf.merge(_without_values(schema_of(command)), OmegaConf.to_container(config))
        settings = OmegaConf.to_object(typed)
    except OmegaConfBaseException as error:
        raise UserError(explain(error, schema_of(command))) from error
    check_baseline_configs()
    _type_options(settings, "")
    schema.check(settings)
    return with_epochs_made_out(settings) if isinstance(settings, schema.TrainCommand) else settings


def check_baseline_configs() -> None:
    """Raises `UserError` where an extension's config of a baseline holds none, or the options of others too."""
    for extension in extensions():
        for file in sorted(extension.configs.glob("baselines/*.yaml")) if extension.configs else ():
            found = OmegaConf.load(file)
            if "defaults" not in found and list(found) != [file.stem]:
                raise UserError(
                    f"{file} must hold the options of {file.stem} and nothing else, as {file.stem}: {{…}}"
                )


def typed_options(entry: Any, given: Any, path: str) -> Any:
    """The options of a registered entry as an instance of its dataclass; None where it takes none.

    Raises `UserError` for options that the entry does not take. path: of the options, for messages
    """
    options = options_class(entry)
    if options is None:
        if given:
            raise UserError(f"{path} takes no options, but {', '.join(given)} is given; leave it out")
        return None
    try:
        return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(options), given or {}))
    except OmegaConfBaseException as error:
        raise UserError(f"{path}: {explain(error, options)}") from error
    except (ValueError, TypeError) as error:  # what their dataclass refuses by itself
        raise UserError(f"{path}: {first_line(error)}") from error


def _refuse_lone_options(kind: str, entry: Any, name: str, given: Any, path: str) -> None:
    """Raises `UserError` for a part of a baseline's options, such as a search writes, without its config."""
    options = options_class(entry)
    if kind != "BASELINES" or options is None:
        return
    if missing := [each.name for each in dataclasses.fields(options) if each.name not in (given or {})]:
        raise UserError(
            f"{path} has no {', '.join(missing)}: {name} is not among the baselines; add it to baselines=[…] (or what "
            "is missing to its config)"
        )


def _type_options(settings: Any, path: str) -> None:
    """Replaces, in place, the options whose types registered entries declare (`schema.options_of`)."""
    for field in dataclasses.fields(settings):
        value, name = getattr(settings, field.name), f"{path}{field.name}"
        kind, named_by = field.metadata.get("options_of"), field.metadata.get("named_by")
        if dataclasses.is_dataclass(value):
            _type_options(value, f"{name}.")
        elif kind and named_by:
            entry = chosen(kind, getattr(settings, named_by), f"{path}{named_by}")
            setattr(settings, field.name, typed_options(entry, value, name))
        elif kind and value is not None:
            typed = {}
            for each, given in value.items():
                entry = chosen(kind, each, name)
                _refuse_lone_options(kind, entry, each, given, f"{name}.{each}")
                typed[each] = typed_options(entry, given, f"{name}.{each}")
            setattr(settings, field.name, typed)
