"""What --help prints of a command, and docs/options.md: its options group by group, a line of explanation each."""

import shutil
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from prnn_cli.app.options import CommandOptions, Group, Option, options_of
from prnn_cli.errors import UserError
from prnn_cli.extensions import commands

NAMES = 34  # columns of the terminal that names and values take, beside the comments
NARROW = 60  # columns below which the comments stand below the names


def help_of(command: str, arguments: Sequence[str]) -> str:
    """The help of a command. Words among the arguments choose groups that are shown alone; GROUP=CHOICE has the values
    of that choice shown.

    Raises `UserError` for a word that is no group.
    """
    words, config_dir = _words(arguments)
    chosen = dict(each.split("=", 1) for each in words if "=" in each)
    options = options_of(command, chosen, config_dir)
    width = shutil.get_terminal_size().columns
    if groups := [each for each in words if "=" not in each]:
        return "\n".join(_only(options, groups, width)) + "\n"
    parts = [
        options.head,
        _section("Options (KEY=VALUE), with their defaults; ??? has to be given", options.options, width),
    ]
    parts += [_group(group, width) for group in options.groups]
    return "\n\n".join("\n".join(part) for part in [*parts, _remarks(command, options)] if part) + "\n"


def _words(arguments: Sequence[str]) -> tuple[list[str], str | None]:
    """The arguments without flags, and the folder of configs that -cd names."""
    words: list[str] = []
    config_dir, given = None, iter(arguments)
    for each in given:
        flag, is_joined, value = each.partition("=")
        if flag in ("-cd", "--config-dir"):
            config_dir = value if is_joined else next(given, None)
        elif not each.startswith("-"):
            words.append(each)
    return words, config_dir


def _remarks(command: str, options: CommandOptions) -> list[str]:
    groups = [f"prnn {command} --help GROUP shows one group and its choices"] if options.groups else []
    return [*groups, f"prnn {command} --hydra-help shows the flags, such as -m, -cd DIR and --cfg job"]


def _only(options: CommandOptions, names: Sequence[str], width: int) -> Iterator[str]:
    """The groups of these names, with what each of their choices is."""
    known = {group.name: group for group in options.groups}
    known |= {group.package.partition(".")[0]: group for group in options.groups}
    for name in names:
        if name not in known:
            raise UserError(
                f"prnn {options.command} has no group {name}; "
                + (
                    f"choose one of {', '.join(group.name for group in options.groups)}"
                    if known
                    else "it has none"
                )
            )
        group = known[name]
        yield from _group(group, width)
        if any(group.choices.values()):
            yield ""
            yield from (line for each in group.choices.items() for line in _line(*each, width))


def _group(group: Group, width: int) -> list[str]:
    at = "" if group.package == group.name else f"@{group.package}"
    title = f"{group.name}{at}=" + ("[CHOICE,CHOICE]" if group.takes_several else "CHOICE")
    chosen = f" (here: {', '.join(group.chosen)})" if group.chosen else ""
    indent = " " * 4
    head = textwrap.wrap(
        f"{title}{chosen}: {', '.join(group.choices) or 'none yet'}", width, subsequent_indent=indent
    )
    return [*head, *_lines(group.options, width)]


def _section(title: str, options: list[Option], width: int) -> list[str]:
    return [title, *_lines(options, width)] if options else []


def _lines(options: Iterable[Option], width: int) -> Iterator[str]:
    for option in options:
        yield from _line(f"{option.name}={option.value}", option.comment, width)


def _line(name: str, comment: str, width: int) -> Iterator[str]:
    """A name and what it is, side by side, or, where the name is too long for that, one below the other."""
    indent = 6 if width < NARROW else NAMES
    beside = len(name) + 4 <= indent
    wrapped = textwrap.wrap(comment, max(width, 30) - indent, break_long_words=False, break_on_hyphens=False)
    first = f"  {name:<{indent - 2}}{wrapped[0]}" if beside and wrapped else f"  {name}"
    yield first
    yield from (f"{' ' * indent}{line}" for line in wrapped[1 if beside else 0 :])


def options_page() -> str:
    """docs/options.md: all options of all commands, each group once."""
    pages = [options_of(command, {}) for command in commands()]
    groups = {group.name: group for page in reversed(pages) for group in page.groups}
    lines = [
        "# Options",
        "",
        "Made by `make docs` from the comments in `configs/`; `prnn COMMAND --help` prints the same.",
        "`KEY=VALUE` sets an option, `GROUP=CHOICE` takes the values of a file of the group; `???` has to be given.",
    ]
    for page in pages:
        lines += ["", f"## prnn {page.command}", "", page.head[0].partition(": ")[2].capitalize() + "."]
        if page.groups:
            lines += [
                "",
                "Groups: " + ", ".join(f"[{each.name}](#{each.name})" for each in page.groups) + ".",
            ]
        lines += _table(page.options)
    order = [group.name for page in pages for group in page.groups]
    for name in dict.fromkeys(order):
        group = groups[name]
        lines += ["", f"## {name}", "", "| choice | what |", "| --- | --- |"]
        lines += [f"| `{name}={choice}` | {_cell(what)} |" for choice, what in group.choices.items()]
        if group.options and group.chosen:
            lines += [
                "",
                f"The values below are those of `{', '.join(group.chosen)}`, or of the choice that has the option.",
            ]
        lines += _table(group.options)
    return "\n".join(lines) + "\n"


def _table(options: Sequence[Option]) -> list[str]:
    if not options:
        return []
    rows = [f"| `{each.name}` | `{_code(each.value)}` | {_cell(each.comment)} |" for each in options]
    return ["", "| option | default | what |", "| --- | --- | --- |", *rows]


def _cell(text: str) -> str:
    return _code(text).replace("*", "\\*").replace("<", "&lt;")


def _code(text: str) -> str:
    return text.replace("|", "\\|")
