"""prnn serve run=DIR: a finished run's model as an HTTP service."""

import signal
from functools import partial

import torch

from prnn_cli.commands import Command
from prnn_cli.experiment.saved_model import check_saved_model
from prnn_cli.reporting.terminal import say
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import ServeCommand
from prnn_cli.system.extras import require


class Serve(Command):
    """The command `prnn serve`."""

    options = ServeCommand
    writes = False

    def check(self, settings: ServeCommand) -> None:
        require("prnn serve")
        check_saved_model(settings.run)

    def run(self, settings: ServeCommand, folder: RunFolder) -> None:
        # They need the extra.
        from prnn_cli.serving.served_model import ServedModel
        from prnn_cli.serving.server import listen, serve

        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is a model to swap
        listening = listen(settings.host, settings.port)
        load = partial(ServedModel.load, settings.run, settings.new_items, settings.boost)
        model = load()
        torch.set_num_threads(settings.threads)
        serve(model, load, listening, settings)
        say("stopped serving")


COMMANDS = {"serve": Serve()}
