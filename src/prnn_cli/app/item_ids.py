"""Items' ids on the command line: text as it was typed, where Hydra would make numbers, dates or null of some.

The overrides of the options marked `ITEM_IDS` are written anew, each id in quotes, before Hydra reads them.
"""

import re
from collections.abc import Sequence
from typing import get_args, get_type_hints

from hydra.core.override_parser.types import Quote, QuotedString

from prnn_cli.errors import UserError
from prnn_cli.schema import Mark, marked

QUOTED = (
    r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'"""  # within quotes, a backslash before one of the kind keeps it
)
PART = re.compile(rf"""\s*({QUOTED}|[^"'\s,][^,]*?)\s*(,|$)""", re.DOTALL)
BETWEEN_LISTS = re.compile(r"\]\s*,\s*\[")


def with_ids_quoted(options: type, arguments: Sequence[str]) -> list[str]:
    """The arguments of a command, every id in them in quotes; docs/data.md has the rule. null still means no value.

    options: the dataclass of the command's options. Raises `UserError` for a list that cannot be told into ids.
    """
    takes_list = {
        name: list[str] in (hint := get_type_hints(options)[name], *get_args(hint))
        for name in marked(options, Mark.ITEM_IDS)
    }
    is_sweep = "-m" in arguments or "--multirun" in arguments
    return [_quoted_override(each, takes_list, is_sweep) for each in arguments]


def _quoted_override(argument: str, takes_list: dict[str, bool], is_sweep: bool) -> str:
    key, _, value = argument.partition("=")
    name, text = key.lstrip("+"), value.strip()
    if name not in takes_list or text in ("", "null"):
        return argument
    try:
        if takes_list[name]:
            return f"{key}={','.join(_lists(text, is_sweep))}"
        return f"{key}={','.join(_ids(text)) if is_sweep else _quoted(text)}"
    except ValueError as error:
        form = f"{name}=[ID,ID]" if takes_list[name] else f"{name}=ID,ID"
        raise UserError(
            f"{argument} cannot be told into ids ({error}); write {form}, and in quotes an id that holds a comma, or "
            "begins or ends with a space, a quote or a bracket"
        ) from error


def _lists(text: str, is_sweep: bool) -> list[str]:
    """[a,b],[c] -> ['a','b'] and ['c']. Raises `ValueError` for what is no list; one alone unless `is_sweep`."""
    if not (text.startswith("[") and text.endswith("]")):
        raise ValueError("there are no brackets around it")
    inner = text[1:-1].strip()
    lists = BETWEEN_LISTS.split(inner) if is_sweep else [inner]
    return [f"[{','.join(_ids(each)) if each else ''}]" for each in lists]


def _ids(text: str) -> list[str]:
    """a, b -> 'a' and 'b'. Raises `ValueError` where an id is empty, or its quotes or brackets are not in pairs."""
    ids, end = [], 0
    while True:
        found = PART.match(text, end)
        if found is None:
            raise ValueError(f"at {text[end:]!r} an id is empty, or its quotes do not end with it")
        if found[1].count("[") != found[1].count("]") and not _is_quoted(found[1]):
            raise ValueError(f"{found[1]} has one bracket of two")
        ids.append(_quoted(found[1]))
        if not found[2]:
            return ids
        end = found.end()


def _quoted(text: str) -> str:
    """The text in quotes as Hydra reads it; as it stands where it is in quotes already. ${…} in it stays text.

    Raises `ValueError` for ???, which no quotes make text.
    """
    if text.strip("'\"") == "???":
        raise ValueError("??? stands for a value that is missing; only a log can hold it")
    literal = re.sub(r"(\\*)\$\{", r"\1\1\\${", text)
    return literal if _is_quoted(text) else QuotedString(literal, Quote.single).with_quotes()


def _is_quoted(text: str) -> bool:
    return re.fullmatch(QUOTED, text, re.DOTALL) is not None
