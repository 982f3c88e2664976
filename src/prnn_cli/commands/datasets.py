"""prnn datasets: the known dataset configs; describe PATH proposes one for a log of the user's."""

import sys
from collections.abc import Sequence
from pathlib import Path

from prnn_cli.data.describe.proposal import describe
from prnn_cli.errors import UserError
from prnn_cli.extensions import config_folders
from prnn_cli.reporting.terminal import say

HELP = """prnn datasets                  the known datasets (dataset=NAME)
prnn datasets describe PATH    look at a file, a folder or a glob, print the YAML that would read it

Example:
  mkdir -p my_configs/dataset
  prnn datasets describe logs > my_configs/dataset/logs.yaml
  prnn train -cd my_configs dataset=logs arch=id_only recipe=cross_entropy
"""


def run(arguments: Sequence[str]) -> int:
    """The exit code."""
    known = {path.stem: path for folder in config_folders() for path in sorted(folder.glob("dataset/*.yaml"))}
    match list(arguments):
        case []:
            width = max(map(len, known))
            for name, path in known.items():
                say(f"{name:<{width}}  {_first_comment(path)}", indent=width + 2)
        case ["-h" | "--help"]:
            print(HELP, end="")
        case ["describe", path]:
            proposal = describe(path, set(known))
            print(proposal.yaml)
            print("\n".join(proposal.notes), file=sys.stderr)  # not into a file that the config goes to
        case ["describe"]:
            raise UserError("describe what? write prnn datasets describe PATH, a file, a folder or a glob")
        case _:
            raise UserError(
                f"prnn datasets {' '.join(arguments)} is no command; write prnn datasets, or prnn datasets "
                "describe PATH"
            )
    return 0


def _first_comment(path: Path) -> str:
    line = path.read_text(encoding="utf-8").partition("\n")[0]
    return line.removeprefix("#").strip()
