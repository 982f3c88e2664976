"""The commands of prnn: a command NAME is a module with a dict COMMANDS, and a config NAME.yaml.

The first line of the config is a comment, `# prnn NAME …: what it does`, which `prnn --help` shows. An extension adds
commands in the same way.
"""

from typing import TYPE_CHECKING, Any, ClassVar

from prnn_cli.extensions import chosen
from prnn_cli.loading import loading

if TYPE_CHECKING:  # help needs none of it
    from prnn_cli.run_folder import RunFolder

WORD_COMMANDS = {  # take plain words, not overrides
    "datasets": "the known datasets; NAME: how to get a public log; describe PATH: the YAML for a log of yours",
    "fetch": "get the files of a public log whose address is known",
    "check": "show that an extension keeps the contracts that prnn relies on",
    "completion": "print the completion script of bash, zsh or fish",
}


class Command:
    """A command of prnn, which is called in the order of these methods.

    options: the dataclass of its options; those of prnn's own commands stand in schema/
    writes: whether it takes a folder for what it leaves, which is refused where another run has left anything
    """

    options: ClassVar[type]
    writes: ClassVar[bool] = True

    def check(self, settings: Any) -> None:
        """Raises `UserError` for settings that cannot work, before anything is read or written; of a sweep, for every
        job before the first one begins."""

    def check_resumed(self, settings: Any, folder: "RunFolder") -> None:
        """Raises `UserError` where the run in `folder` cannot go on with these settings; called for resume=true,
        before anything in the folder changes."""

    def run(self, settings: Any, folder: "RunFolder") -> None:
        """Does the work. Raises `UserError` or `RunError` where it cannot be done, which the folder then records."""
        raise NotImplementedError

    def show_result(self, folder: "RunFolder") -> None:
        """Prints what a finished run has left; not called within a sweep, which shows all at its end."""


def command_of(name: str) -> Command:
    """The command of this name, with no import of the others. Raises `UserError` for a name that is none."""
    import importlib.util

    own = f"{__name__}.{name}"
    if importlib.util.find_spec(own):
        with loading():
            command: Command = importlib.import_module(own).COMMANDS[name]
        return command
    return chosen("COMMANDS", name, "prnn")  # type: ignore[no-any-return]
