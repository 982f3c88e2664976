"""A sweep while it runs: one line a job, waiting, running, done or failed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.live import Live
from rich.table import Column, Table
from rich.text import Text

from prnn_cli.errors import UserError
from prnn_cli.evaluation.metrics import ALWAYS_MEASURED
from prnn_cli.reporting.sweep_jobs import SweepJob
from prnn_cli.run_folder import RunFolder, read_json
from prnn_cli.system import progress
from prnn_cli.system.progress import console, note

STYLES = {"waiting": "dim", "running": "bold", "done": "green", "failed": "red", "stopped": "yellow"}


LINE_EVERY_S = 10.0  # of all running jobs together, where no terminal draws them


@dataclass
class Line:
    """A job in the view. state: one of `STYLES`; note: its progress, metrics, or the reason why it failed"""

    name: str
    state: str = "waiting"
    note: str = ""


class SweepView:
    """A table that is drawn anew on a terminal; elsewhere a line for each change of state."""

    def __init__(self, names: Sequence[str]) -> None:
        self.lines = [Line(name) for name in names]
        self._live: Live | None = None
        self._told = [0.0] * len(self.lines)  # when a line was last printed of each job

    def running(self, number: int) -> None:
        """Marks job `number` (from 0) as running."""
        if self._live is None and progress.can_draw():
            self._live = Live(get_renderable=self._table, console=console, transient=False)
            self._live.start()
        self._mute()
        self._change(number, "running", "")

    def listen(self, number: int) -> None:
        """Makes what this process logs and draws from now on the note of job `number`."""
        if self._live:
            progress.hand_over(partial(self.note, number))

    def note(self, number: int, note: str) -> None:
        """Notes how a running job gets on; without a terminal as a line, but few of them."""
        self.lines[number].note = note
        running = [line for line in self.lines if line.state == "running"]
        if self._live is None and time.monotonic() - self._told[number] >= LINE_EVERY_S * len(running):
            self._told[number] = time.monotonic()
            self._print(number, note)

    def said(self, number: int, text: str) -> None:
        """Prints a warning of a job in a process of its own."""
        note(f"{self.lines[number].name}: {text}", "yellow")

    def ended(self, number: int, job: SweepJob) -> None:
        """Marks job `number` as done or failed."""
        self._mute()
        self._change(number, "failed" if job.failure else "done", job.failure or _metrics(job.folder))

    def stop(self) -> None:
        """Marks what still runs as stopped, and closes the view."""
        for number, line in enumerate(self.lines):
            if line.state == "running":
                self._change(number, "stopped", "")
        self.close()

    def close(self) -> None:
        """Ends the drawing, and gives the terminal back to bars and log lines."""
        progress.hand_over(None)
        if self._live:
            self._live.stop()

    def _mute(self) -> None:
        if self._live:
            # What Hydra says between two jobs would push the table up.
            progress.hand_over(lambda note: None)

    def _change(self, number: int, state: str, note: str) -> None:
        line = self.lines[number]
        line.state, line.note = state, note
        self._told[number] = time.monotonic()
        if self._live is None:
            self._print(number, f"{state} {note}".strip())

    def _print(self, number: int, text: str) -> None:
        line = f"[{number + 1}/{len(self.lines)}] {self.lines[number].name}: {text}"
        note(line)

    def _table(self) -> Table:
        table = Table.grid("name", "state", Column(ratio=1), padding=(0, 2), expand=True)
        for line in self._in_sight():
            note = Text(line.note, no_wrap=True, overflow="ellipsis")
            name = Text(_shortened(line.name, 2 * console.width // 5))
            table.add_row(name, Text(line.state, style=STYLES[line.state]), note)
        return table

    def _in_sight(self) -> list[Line]:
        """The lines that the terminal has room for, the running one among them."""
        height = max(3, console.height - 2)
        current = next((i for i, line in enumerate(self.lines) if line.state == "running"), len(self.lines))
        start = min(max(0, current - height // 2), max(0, len(self.lines) - height))
        shown = self.lines[start : start + height]
        hidden = len(self.lines) - len(shown)
        return [*shown, Line(f"… {hidden} more", "waiting")] if hidden else shown


def _metrics(folder: Path) -> str:
    """The metrics that are shown of a finished job; empty for one that was pruned."""
    try:
        metrics = read_json(RunFolder(folder).metrics_file)
    except UserError as error:
        # They are of an earlier run, which is not run again; the table says so too.
        return str(error) if RunFolder(folder).metrics_file.exists() else ""
    return ", ".join(f"{key} {metrics[key]:.4f}" for key in ALWAYS_MEASURED)


def _shortened(name: str, width: int) -> str:
    """The name without its middle, where it is longer than `width`: names of jobs differ at their ends."""
    half = (width - 1) // 2
    return name if len(name) <= width else f"{name[:half]}…{name[-half:]}"
