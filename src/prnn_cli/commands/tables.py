"""prnn tables runs=GLOB: the paper's tables of finished runs, across sweeps and seeds."""

from prnn_cli.commands import Command
from prnn_cli.errors import UserError
from prnn_cli.reporting.report import report_runs
from prnn_cli.reporting.runs import find_folders
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import TablesCommand


class Tables(Command):
    options = TablesCommand

    def check(self, settings: TablesCommand) -> None:
        find_folders(_patterns(settings))

    def run(self, settings: TablesCommand, folder: RunFolder) -> None:
        report_runs(folder.path, find_folders(_patterns(settings)), settings.table)


def _patterns(config: TablesCommand) -> list[str]:
    """`runs` is a pattern or a list of them."""
    patterns = [config.runs] if isinstance(config.runs, str) else config.runs
    if not (isinstance(patterns, list) and patterns and all(isinstance(each, str) for each in patterns)):
        raise UserError(
            f"runs={config.runs} names no folders; write runs='runs/table2/*', or a list as runs=[A,B]"
        )
    return patterns


COMMANDS = {"tables": Tables()}
