"""The display while a command works: one console on stderr, bars on a terminal, plain lines elsewhere."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    TaskProgressColumn,
    TextColumn,
)
from rich.table import Column

from prnn_cli.errors import visible
from prnn_cli.system.distributed import process_group


class _Unread(Console):
    """A console whose reader may go, as in `prnn train 2>&1 | head`: the work goes on without it."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


console = _Unread(stderr=True)

PLAIN_LINE_EVERY_S = 10.0

log = logging.getLogger(__name__)

_drawn: Progress | None = None  # the bars on the terminal, while there are any
_sink: Callable[[str], None] | None = None  # takes the notes while a sweep's view is drawn


def hand_over(sink: Callable[[str], None] | None) -> None:
    """Makes bars and log lines give way to a view on the same terminal, which gets the notes instead; None ends it.

    One console is one place, so this holds for the whole process, whichever thread speaks.
    """
    global _sink
    _sink = sink


def note(line: str, style: str | None = None) -> None:
    """Prints a line on stderr, folded between words on a terminal. style: rich's, such as "yellow\""""
    console.print(line, style=style, markup=False, highlight=False, soft_wrap=not console.is_terminal)


class ConsoleHandler(logging.Handler):
    """A handler that prints through the console that draws the bars, so that neither overwrites the other."""

    def emit(self, record: logging.LogRecord) -> None:
        quiet = _sink or not process_group().is_main  # the others say what goes wrong, and no more
        if getattr(record, "in_file_only", False) or (quiet and record.levelno < logging.WARNING):
            return
        style = "yellow" if record.levelno >= logging.WARNING else None
        note(visible(self.format(record)), style)


class Meter:
    """Progress of one piece of work: `update` may be called as often as is convenient."""

    def __init__(self, what: str, total: int, bars: Progress | None) -> None:
        self.what, self.total, self._bars = what, total, bars
        self.done = 0
        self._task = bars.add_task(what, total=total, note="", left="") if bars else None
        self._started = self._last_line = time.monotonic()

    def update(self, done: int, note: str, seconds_left: float | None = None) -> None:
        left = self._left(done, seconds_left)
        clock = f"{timedelta(seconds=round(left))} left" if done else ""
        if self._bars and self._task is not None:
            self._bars.update(self._task, completed=done, note=note, left=clock)
        elif _sink:
            # The note last, as a view cuts what it has no room for.
            _sink(f"{self.what} {done / max(1, self.total):.0%} {clock} {note}")
        elif time.monotonic() - self._last_line >= PLAIN_LINE_EVERY_S:
            self._last_line = time.monotonic()
            log.info("%s %d/%d %s, %.0f s left", self.what, done, self.total, note, left)

    def advance(self, note: str, number: int = 1) -> None:
        """So many more are done."""
        self.done += number
        self.update(self.done, note)

    def resize(self, total: int) -> None:
        """Has the whole be `total` from now on."""
        self.total = total
        if self._bars and self._task is not None:
            self._bars.update(self._task, total=total)

    def remove(self) -> None:
        """Takes the bar away while others stay."""
        if self._bars and self._task is not None:
            self._bars.remove_task(self._task)

    def _left(self, done: int, known: float | None) -> float:
        if known is not None:
            return known
        return (time.monotonic() - self._started) * (self.total - done) / done if done else 0.0


def training_note(phase: int, epoch: int, learning: str, loss: float, events_per_s: float) -> str:
    """What the bar of training says beside how far it is."""
    return f"phase {phase} epoch {epoch} ({learning}) loss {loss:.4f} {events_per_s:,.0f} events/s"


def can_draw() -> bool:
    """Whether stderr is a terminal that can draw a line anew; TERM=dumb names one that cannot."""
    return console.is_terminal and not console.is_dumb_terminal


@contextmanager
def meter(what: str, total: int) -> Iterator[Meter]:
    """A meter of `what`, up to `total` in any unit: a bar on a terminal, elsewhere lines of the log.

    Work within other work, such as ranking at the end of an epoch, has its bar below the other's.
    """
    global _drawn
    if _sink or not can_draw() or not process_group().is_main:
        yield Meter(what, total, None)
        return
    if _drawn:
        inner = Meter(what, total, _drawn)
        try:
            yield inner
        finally:
            inner.remove()
        return
    with Progress(*_columns(console.width), console=console, transient=True, expand=True) as _drawn:
        try:
            yield Meter(what, total, _drawn)
        finally:
            _drawn = None


def _columns(width: int) -> tuple[ProgressColumn, ...]:
    """The parts of a bar in a terminal of `width` columns: what there is no room for goes from the note's end."""
    name = Column(max_width=max(10, 2 * width // 5), no_wrap=True, overflow="ellipsis")
    note = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    return (
        TextColumn("{task.description}", markup=False, table_column=name),
        BarColumn(max(5, width // 8)),
        TaskProgressColumn(),
        TextColumn("{task.fields[left]}"),
        TextColumn("{task.fields[note]}", markup=False, table_column=note),
    )
