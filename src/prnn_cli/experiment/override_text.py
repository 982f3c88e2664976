"""Overrides as people type them: text that Hydra's grammar lacks is quoted for it; why another cannot be read."""

import re
import shlex
from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

KEY = re.compile(r"(\+\+?|~)?[A-Za-z_][\w./@:$-]*", re.ASCII)
# What the grammar takes for text as it stands; other letters and signs need quotes around them.
PLAIN = re.compile(r"[\w\s/+.%*@?|:-]*", re.ASCII)
PAIRS = {"]": "[", "}": "{", ")": "("}


def key_of(override: str) -> str:
    """The option or group that an override sets, adds or takes out, such as dataset.path."""
    return override.lstrip("+~").partition("=")[0].partition("@")[0]


def with_text_quoted(arguments: Sequence[str]) -> list[str]:
    """The arguments of a command; in an override that cannot be read, what can only be text is in quotes.

    label=Größe -> label='Größe', and texts=[título,a=b] -> texts=['título','a=b']. Where quotes, a backslash, a $ or
    braces stand already, more than one reading is left, and the override stays as it is.
    """
    parser = OverridesParser.create()
    return [_quoted(each, parser) if "=" in each and not each.startswith("-") else each for each in arguments]


def _quoted(override: str, parser: OverridesParser) -> str:
    key, _, value = override.partition("=")
    if _can_be_read(override, parser) or re.search(r"""['"\\${}]""", value):
        return override
    text = re.sub(r"[^,()\[\]]+", lambda part: _in_quotes(part[0]), value)
    quoted = f"{key}={text.strip()}"
    return quoted if _can_be_read(quoted, parser) else override


def _can_be_read(override: str, parser: OverridesParser) -> bool:
    try:
        parser.parse_override(override)
    except HydraException:
        return False
    return True


def _in_quotes(part: str) -> str:
    return part if PLAIN.fullmatch(part) else part.replace(part.strip(), f"'{part.strip()}'")


def why_unreadable(override: str) -> str:
    """The sentence for an override that Hydra's parser refuses: what stands in its way, and how it is written."""
    key, equals, value = override.partition("=")
    if not (equals and KEY.fullmatch(key)):
        return f"cannot read {override!r}: write KEY=VALUE or GROUP=CHOICE"
    # Within quotes a backslash keeps a quote, and the "${" that would begin an interpolation; before one, itself.
    text = re.sub(r'(\\*)("|\$\{|$)', lambda found: found[1] * 2 + (found[2] and f"\\{found[2]}"), value)
    return (
        f"cannot read {override!r}: {_obstacle(value)}; if it is meant as text, quote it twice, as in "
        + shlex.quote(f'{key}="{text}"')
    )


def _obstacle(value: str) -> str:
    for quote in "'\"":
        if len(re.findall(rf"(?<!\\){quote}", value)) % 2:
            return f"a quote ({quote}) is never closed"
    open_ones: list[str] = []
    for sign in re.sub(r"""(?<!\\)(['"]).*?(?<!\\)\1""", "", value, flags=re.DOTALL):
        if sign in PAIRS.values():
            open_ones.append(sign)
        elif sign in PAIRS and (not open_ones or open_ones.pop() != PAIRS[sign]):
            return f"{sign} closes nothing"
    if open_ones:
        return f"{open_ones[-1]} is never closed"
    if "$" in value:
        return "$ begins an interpolation, as ${seed}"
    if "{" in value:
        return "braces hold names and values, as {a: 1, b: 2}"
    if "'" in value or '"' in value:
        return "something stands beside the quotes"
    if "\\" in value:
        return "a backslash stands before what needs none"
    if found := re.search(r"[\[\](),]", value):
        return f"{found[0]} is a sign of lists and sweeps, as [A,B] and choice(A,B)"
    return "it is neither a value nor a list of values"
