"""prnn check [NAME|FILE.py]: shows that what an extension adds keeps the contracts that prnn relies on."""

from collections.abc import Sequence
from pathlib import Path

from prnn_cli import contracts
from prnn_cli.errors import RunError, UserError
from prnn_cli.extensions import Extension, add_file, extensions, registered

HELP = """prnn check                  every extension that is installed
prnn check NAME             one of them, by the name of its entry point
prnn check FILE.py          a file, which prnn COMMAND --extend FILE.py … then uses

Each thing that it adds is made and used as prnn would use it: baselines score, readouts and strategies train, features
are extracted, configs compose. Exit code 0: all contracts are kept; 1: the lines with a cross say which are not.
"""


def run(arguments: Sequence[str]) -> int:
    """The exit code. Raises `RunError` where a contract is broken, `UserError` where there is nothing to check."""
    match list(arguments):
        case ["-h" | "--help"]:
            print(HELP, end="")
            return 0
        case []:
            chosen = extensions()
        case [name]:
            chosen = [_named(name)]
        case _:
            raise UserError(f"prnn check {' '.join(arguments)}: give one extension, or none for all of them")
    if not chosen:
        raise UserError(
            "no extension is installed; docs/extending.md shows how one is made, or give a FILE.py"
        )
    broken = sum(not each.kept for extension in chosen for each in _checked(extension))
    if broken:
        raise RunError(f"{broken} contract{'s are' if broken > 1 else ' is'} broken")
    return 0


def _checked(extension: Extension) -> list[contracts.Verdict]:
    print(f"{extension.name} ({extension.origin})")
    for kind in contracts.CHECKS:
        registered(kind)  # refuses what cannot be used, and names that are taken
    verdicts = []
    for verdict in contracts.check_extension(extension):
        print(
            f"  {'✓' if verdict.kept else '✗'} {verdict.what}{'' if verdict.kept else f': {verdict.reason}'}"
        )
        verdicts.append(verdict)
    if not verdicts:
        raise UserError(
            f"{extension.origin} adds nothing: its module defines none of {', '.join(contracts.CHECKS)}, and there is "
            "no config beside it"
        )
    return verdicts


def _named(name: str) -> Extension:
    if Path(name).suffix == ".py":
        return add_file(name)
    found = next((each for each in extensions() if each.name == name), None)
    if found is None:
        names = ", ".join(each.name for each in extensions()) or "none is"
        raise UserError(f"no extension {name} is installed ({names}); give one of them, or a FILE.py")
    return found
