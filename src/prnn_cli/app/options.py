"""The options of a command as the configs have them: names, values, and the comments beside them.

Comments in configs/ are the one source of what is said of an option: in --help, which imports neither torch nor Hydra,
and in docs/options.md.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from prnn_cli.errors import UserError
from prnn_cli.extensions import config_folders
from prnn_cli.system.yaml_files import check_yaml

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
OF_HYDRA = ("defaults", "hydra")  # keys of a config that are no options of the command


@dataclass(frozen=True)
class Option:
    """An option. name: its dotted path; value: the default, as the config writes it; comment: what it is, in a line"""

    name: str
    value: str
    comment: str


@dataclass(frozen=True)
class Group:
    """A group of options of which a file is chosen, as in dataset=generic.

    package: where its options stand, such as dataset or subnets.NAME; takes_several: whether it is a list of files that
    is chosen; chosen: those whose values are shown; choices: all files, each with its first comment
    """

    name: str
    package: str
    takes_several: bool
    chosen: list[str]
    choices: dict[str, str]
    options: list[Option]


@dataclass(frozen=True)
class CommandOptions:
    """What a command takes. head: the comment at the top of its config"""

    command: str
    head: list[str]
    options: list[Option]
    groups: list[Group]


@dataclass(frozen=True)
class Config:
    """A config file. head: the comment lines at its top; package: the one that it names, if it does; defaults: its
    defaults list"""

    head: list[str] = field(default_factory=list)
    package: str | None = None
    defaults: list[Any] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)


def options_of(command: str, chosen: Mapping[str, str], config_dir: str | None = None) -> CommandOptions:
    """The options of a command.

    chosen: the choices of some groups, by name; config_dir: a folder of the user's configs
    Raises `UserError` for a config that cannot be read.
    """
    folders = [*config_folders(), *([Path(config_dir)] if config_dir else [])]
    config = _of_command(command, folders)
    groups: dict[str, Group] = {}
    set_by_chosen: dict[str, str] = {}
    for entry in config.defaults:
        for key, default in entry.items() if isinstance(entry, dict) else ():
            name, _, package = key.partition("@")
            if name.startswith("override "):
                continue
            if package and name in groups:  # a file for several packages, which have the same options
                continue
            package = f"{package.rpartition('.')[0]}.NAME" if package else name
            files = _listed(chosen[name]) if name in chosen else _listed(default)
            found = _configs(folders, f"{name}/*.yaml")
            inside = [each for each in config.options if each.name.startswith(f"{package}.")]
            groups[name] = _group_of(name, package, isinstance(default, list), files, found, inside)
            if name in chosen:
                set_by_chosen |= _values_elsewhere([found[stem] for stem in files if stem in found])
    packages = tuple(f"{group.package}." for group in groups.values())
    own = [each for each in config.options if each.name not in groups and not each.name.startswith(packages)]
    own = [replace(each, value=set_by_chosen.get(each.name, each.value)) for each in own]
    return CommandOptions(command, config.head, own, list(groups.values()))


def _of_command(command: str, folders: Sequence[Path]) -> Config:
    """The config of a command, with what stands in that of another command which it starts from."""
    config = next(iter(_configs(folders, f"{command}.yaml").values()))
    for name in _bases(config):
        for base in _configs(folders, f"{name}.yaml").values():
            own = {each.name for each in config.options}
            options = [*config.options, *(each for each in base.options if each.name not in own)]
            config = replace(config, defaults=[*base.defaults, *config.defaults], options=options)
    return config


def _values_elsewhere(files: Iterable[Config]) -> dict[str, str]:
    """The values by name that files of a group set outside of it too, as a recipe does the epochs."""
    return {
        option.name: option.value for file in files if file.package == "_global_" for option in file.options
    }


def _group_of(
    name: str,
    package: str,
    takes_several: bool,
    chosen: list[str],
    files: dict[str, Config],
    of_command: Iterable[Option],
) -> Group:
    """The group, with what the command's own config sets in it where the chosen files leave it as it is."""
    # After what is chosen, the files that others start from, so that values are theirs.
    plain = [stem for stem, config in files.items() if not _bases(config)]
    found: dict[str, Option] = {}
    for stem in dict.fromkeys([*chosen, *plain, *files]):
        for each, option in _options_with_bases(stem, name, package, files).items():
            if each not in found and not any(known.startswith(f"{each}.") for known in found):
                _add(found, option)
    set_by_chosen = {each for stem in chosen for each in _options_with_bases(stem, name, package, files)}
    for option in of_command:
        known = found.get(option.name)
        if known is None or option.name not in set_by_chosen:
            found[option.name] = option
        elif not known.comment:
            found[option.name] = replace(known, comment=option.comment)
    choices = {stem: _first_sentence(config.head) for stem, config in files.items()}
    return Group(name, package, takes_several, chosen, choices, list(found.values()))


def _listed(choice: Any) -> list[str]:
    """The files that a defaults list or a command line chooses: null, one, or several as [A,B]."""
    if isinstance(choice, str):
        return [each.strip() for each in choice.strip("[]").split(",")]
    return list(choice or ())


def _options_with_bases(
    stem: str, group: str, package: str, files: Mapping[str, Config]
) -> dict[str, Option]:
    """The options of a file and of those that it starts from, by name, with the file's own values."""
    if stem not in files:
        return {}
    config = files[stem]
    found: dict[str, Option] = {}
    others = {name: other for name, other in files.items() if name != stem}
    for base in _bases(config):
        found |= _options_with_bases(base, group, package, others)
    for option in config.options:
        name = option.name if config.package == "_global_" else f"{package}.{option.name}"
        if not name.startswith(f"{package}.") or (name == f"{package}.name" and not option.comment):
            continue
        for each in _parts(replace(option, name=name), found):
            before = found.get(each.name)
            _add(found, replace(each, comment=before.comment) if before and before.comment else each)
    return found


def _parts(option: Option, known: Mapping[str, Option]) -> Iterator[Option]:
    """The option, or, where it is a mapping in one line of options that are known, those."""
    if option.value.startswith("{") and any(name.startswith(f"{option.name}.") for name in known):
        node = yaml.compose(option.value, LOADER)
        for key, value in node.value if node else ():
            yield Option(
                f"{option.name}.{key.value}", option.value[value.start_mark.index : value.end_mark.index], ""
            )
    else:
        yield option


def _add(found: dict[str, Option], option: Option) -> None:
    """Adds an option, or the value of a known one; not what has names of the user's, as below search.space={}."""
    outer = [option.name[: match.start()] for match in re.finditer(r"\.", option.name)]
    for name in outer:
        # A group that only some files have; what a comment speaks of as a whole stays one.
        if name in found and found[name].value == "null" and not found[name].comment:
            del found[name]
    if not any(name in found for name in outer):
        found[option.name] = option


def _bases(config: Config) -> list[str]:
    return [each for each in config.defaults if isinstance(each, str) and each != "_self_"]


def _configs(folders: Iterable[Path], pattern: str) -> dict[str, Config]:
    """The configs by name; of two of a name the first, as Hydra takes it."""
    found: dict[str, Config] = {}
    for file in (file for folder in folders for file in sorted(folder.glob(pattern))):
        if file.stem not in found:
            found[file.stem] = read_config(file)
    return found


def read_config(file: Path) -> Config:
    """Reads a config; where a mapping stands in one line, it is one option. Raises `UserError` for no valid one."""
    try:
        text = file.read_text(encoding="utf-8")
        check_yaml(text)
        root, content = yaml.compose(text, LOADER), yaml.load(text, LOADER)
    except (yaml.YAMLError, ValueError, OSError) as error:
        raise UserError(f"{file} cannot be read: {' '.join(str(error).split())}") from error
    lines = text.splitlines()
    package = re.search(r"^# @package (\S+)", text, re.MULTILINE)
    entries = root.value if isinstance(root, yaml.MappingNode) else []
    options = [option for key, value in entries for option in _options(key, value, "", text, lines)]
    return Config(
        _head(lines),
        package[1] if package else None,
        content.get("defaults") or [] if isinstance(content, dict) else [],
        [each for each in options if each.name.split(".")[0] not in OF_HYDRA],
    )


def _options(key: Any, value: yaml.Node, path: str, text: str, lines: list[str]) -> Iterator[Option]:
    name = f"{path}.{key.value}".lstrip(".")
    if isinstance(value, yaml.MappingNode) and not value.flow_style:
        for inner_key, inner in value.value:
            yield from _options(inner_key, inner, name, text, lines)
        return
    if isinstance(value, yaml.SequenceNode) and not value.flow_style:  # its end lies beyond its last line
        elements = [text[each.start_mark.index : each.end_mark.index] for each in value.value]
        written, end = f"[{', '.join(elements)}]", key.end_mark
    else:
        written, end = " ".join(text[value.start_mark.index : value.end_mark.index].split()), value.end_mark
    _, _, comment = lines[end.line][end.column :].partition("#")
    if isinstance(value, yaml.MappingNode) and not value.value and not comment:
        return  # room for what others set
    yield Option(name, written, comment.strip())


def _first_sentence(head: list[str]) -> str:
    return " ".join(head).partition(". ")[0].removesuffix(".")


def _head(lines: Iterable[str]) -> list[str]:
    """The comment at the top of a file."""
    head = []
    for line in lines:
        if not line.startswith("#"):
            break
        if not line.startswith("# @package"):
            head.append(line.removeprefix("#").removeprefix(" ").rstrip())
    return head
