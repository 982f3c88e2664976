"""prnn datasets: the known datasets; NAME tells of a public log, describe PATH proposes a config for another log."""

import difflib
from collections.abc import Sequence
from pathlib import Path

from prnn_cli.data.describe.known_logs import recognised
from prnn_cli.data.describe.proposal import describe, flow
from prnn_cli.data.formats.log_files import files_within
from prnn_cli.data.public_logs import PublicLog, head_of, public_logs
from prnn_cli.errors import UserError
from prnn_cli.extensions import config_folders
from prnn_cli.reporting.public_logs import commands, details, logs_table
from prnn_cli.reporting.terminal import say, show
from prnn_cli.system.paths import absolute_path
from prnn_cli.system.progress import note

HELP = """prnn datasets                  the known datasets (dataset=NAME), and which public logs are there
prnn datasets NAME             a public log: what it is, how to get it, what to begin with
prnn datasets describe PATH    look at a file, a folder or a glob, print the YAML that would read it

Example:
  mkdir -p my_configs/dataset
  prnn datasets describe logs > my_configs/dataset/logs.yaml
  prnn train -cd my_configs dataset=logs arch=id_only recipe=cross_entropy
"""
WORDS = ("describe",)


def run(arguments: Sequence[str]) -> int:
    """The exit code."""
    match list(arguments):
        case []:
            _list()
        case ["-h" | "--help"]:
            print(HELP, end="")
        case ["describe", path]:
            _describe(path)
        case ["describe"]:
            raise UserError("describe what? write prnn datasets describe PATH, a file, a folder or a glob")
        case [name] if name in (configs := _configs()):
            log = public_logs().get(name)
            say(_head(configs[name])) if log is None else _tell(log)
        case [name]:
            close = difflib.get_close_matches(name, [*_configs(), *WORDS], n=1)
            guess = f"did you mean {close[0]}? " if close else ""
            raise UserError(f"no dataset is called {name!r}; {guess}prnn datasets lists them")
        case _:
            raise UserError(
                f"prnn datasets {' '.join(arguments)} is no command; write prnn datasets, prnn datasets NAME, or "
                "prnn datasets describe PATH"
            )
    return 0


def _describe(path: str) -> None:
    """Prints the YAML on stdout, and what else there is to say not into a file that it goes to."""
    found = recognised(path)
    if (log := found.log) and found.folder:
        where = absolute_path(found.folder)
        command = f"prnn preprocess dataset={log.name} dataset.path={where}"
        print(f"# The files of {log.source.title}, which prnn knows; nothing needs to be saved: {command}")
        print(f"defaults: [{log.name}]\npath: {flow(str(where))}")
        note(f"prnn datasets {log.name} tells more, and with which features to begin.")
        return
    try:
        doubt = "they may be another version of what prnn knows" if found.doubt else ""
        proposal = describe(path, set(_configs()), doubt)
    except UserError as error:
        raise UserError(f"{found.doubt} {error}".strip()) from error
    print(proposal.yaml)
    for line in filter(None, [found.doubt, *proposal.notes]):
        note(line)


def _configs() -> dict[str, Path]:
    return {path.stem: path for folder in config_folders() for path in sorted(folder.glob("dataset/*.yaml"))}


def _list() -> None:
    logs = public_logs()
    others = {name: path for name, path in _configs().items() if name not in logs}
    width = max(map(len, others))
    for name, path in others.items():
        say(f"{name:<{width}}  {_head(path)}", indent=width + 2)
    print()
    show(logs_table(logs.values(), shows_files=True), "Public logs")
    say(
        "Files are looked for in $PRNN_DATA_DIR/NAME, or data/NAME; dataset.path=DIR names another folder. "
        "prnn datasets NAME says how to get a log."
    )


def _tell(log: PublicLog) -> None:
    source = log.source
    say(f"{log.name}: {source.title}", indent=0)
    for heading, text in details(log):
        say(f"{heading:<12}{text}", indent=12)
    say(f"{'folder':<12}{log.folder}, unless dataset.path=DIR says another", indent=12)
    for number, (name, what) in enumerate(log.files.items()):
        is_there = (log.folder / name).is_dir() or files_within(log.folder, name)  # pictures are a folder
        say(
            f"{'' if number else 'files':<12}{name}: {what}; {'is there' if is_there else 'is missing'}",
            indent=14,
        )
    way = (
        f"prnn fetch {log.name}"
        if source.fetch
        else "from the page; no address is known that gives it to everybody"
    )
    say(f"{'to get it':<12}{way}", indent=12)
    for number, command in enumerate(commands(log)):
        print(f"{'' if number else 'to begin':<12}{command}")


def _head(path: Path) -> str:
    return head_of(path.read_text(encoding="utf-8"))
