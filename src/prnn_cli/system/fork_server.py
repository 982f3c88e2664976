"""What the server loads that processes are forked from: torch and the rest, once. It is imported there alone.

SIGTERM, as a scheduler sends it to all processes of a job, must not end the server before the trainings have written
their checkpoints; the processes themselves take it as ever (`forked.py`).
"""

import importlib
import signal

signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _name in ("prnn_cli.commands.train", "prnn_cli.app.hydra_app", "torch._inductor.select_algorithm"):
    importlib.import_module(_name)
