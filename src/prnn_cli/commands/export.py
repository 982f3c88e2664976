"""prnn export run=DIR out=FOLDER: the model of a finished run for machines without prnn."""

from prnn_cli.commands import Command
from prnn_cli.experiment.saved_model import check_saved_model
from prnn_cli.reporting.table_formats import TextTable
from prnn_cli.reporting.terminal import show
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import ExportCommand
from prnn_cli.serving.export import check_free, write_export
from prnn_cli.serving.finished_run import load_run
from prnn_cli.system.extras import require


class Export(Command):
    """The command `prnn export`."""

    options = ExportCommand
    writes = False

    def check(self, settings: ExportCommand) -> None:
        require("prnn export")
        check_free(settings.out)
        check_saved_model(settings.run)

    def run(self, settings: ExportCommand, folder: RunFolder) -> None:
        path = check_free(settings.out)
        files = write_export(load_run(settings.run, settings.new_items, settings.boost), path)
        show(TextTable(["File", "bytes"], [[name, f"{size:,}"] for name, size in files], "lr"))
        print(f"written to {path}")


COMMANDS = {"export": Export()}
