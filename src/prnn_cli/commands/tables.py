"""prnn tables runs=GLOB: the paper's tables of finished runs, across sweeps and seeds."""

from prnn_cli.commands import Command
from prnn_cli.errors import UserError
from prnn_cli.reporting.report import report_runs
from prnn_cli.reporting.runs import find_folders
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import TablesCommand


class Tables(Command):
    """The command `prnn tables`."""

    options = TablesCommand

    def check(self, settings: TablesCommand) -> None:
        find_folders(_patterns(settings))

    def run(self, settings: TablesCommand, folder: RunFolder) -> None:
        report_runs(folder.path, find_folders(_patterns(settings)), settings.table)


def _patterns(settings: TablesCommand) -> list[str]:
    """The patterns in `runs`, which is one or a list of them. Raises `UserError` for anything else."""
    patterns = [settings.runs] if isinstance(settings.runs, str) else settings.runs
    if not (isinstance(patterns, list) and patterns and all(isinstance(each, str) for each in patterns)):
        raise UserError(
            f"runs={settings.runs} names no folders; write runs='runs/table2/*', or a list as runs=[A,B]"
        )
    return patterns


COMMANDS = {"tables": Tables()}
