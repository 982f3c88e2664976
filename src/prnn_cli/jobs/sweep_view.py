"""A sweep while it runs: one line a job, waiting, running, done or failed."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.live import Live
from rich.table import Column, Table
from rich.text import Text

from prnn_cli.system import progress
from prnn_cli.system.progress import console

STYLES = {"waiting": "dim", "running": "bold", "done": "green", "failed": "red", "stopped": "yellow"}


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

    def running(self, number: int) -> None:
        """Marks job `number` (from 0) as running; what it logs and draws from now on becomes its note."""
        if self._live is None and progress.can_draw():
            self._live = Live(get_renderable=self._table, console=console, transient=False)
            self._live.start()
        if self._live:
            progress.hand_over(lambda note: self._note(number, note))
        self._change(number, "running", "")

    def ended(self, number: int, state: str, note: str) -> None:
        """Marks job `number` as done, failed or stopped."""
        if self._live:
            # What Hydra says between two jobs would push the table up.
            progress.hand_over(lambda note: None)
        self._change(number, state, note)

    def close(self) -> None:
        """Ends the drawing, and gives the terminal back to bars and log lines."""
        progress.hand_over(None)
        if self._live:
            self._live.stop()

    def _note(self, number: int, note: str) -> None:
        self.lines[number].note = note

    def _change(self, number: int, state: str, note: str) -> None:
        line = self.lines[number]
        line.state, line.note = state, note
        if self._live is None:
            place = f"[{number + 1}/{len(self.lines)}]"
            text = " ".join([place, f"{line.name}: {state}", note]).strip()
            console.print(text, markup=False, highlight=False, soft_wrap=True)

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


def _shortened(name: str, width: int) -> str:
    """The name without its middle, where it is longer than `width`: names of jobs differ at their ends."""
    half = (width - 1) // 2
    return name if len(name) <= width else f"{name[:half]}…{name[-half:]}"
