"""Processes that begin with torch and the rest loaded: forks of a server that has done that, and nothing else, once.

A fork of this process itself would inherit its threads' locks, and a GPU that cannot be shared so.
"""

import os
import runpy
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import forkserver, get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from prnn_cli.errors import Stopped
from prnn_cli.system.cores import share_cores
from prnn_cli.system.gpus import own_gpu

_context = get_context("forkserver")
_starter: Connection | None = None  # the process that started this one, as far as it listens


@dataclass(frozen=True)
class Child:
    """A process that was started, and the pipe through which it tells how it gets on."""

    process: BaseProcess
    pipe: Connection

    def told(self) -> Iterator[tuple[str, Any]]:
        """What it has told since it was last asked."""
        try:
            while self.pipe.poll():
                yield self.pipe.recv()
        except (EOFError, OSError):  # it has ended, perhaps within a word
            return


def begin(jobs: int) -> None:
    """Begins to load what processes start with, while this one goes on with something else. jobs: that will run at once

    Each gets its share of the cores.
    """
    share_cores(jobs)
    _context.set_forkserver_preload(["prnn_cli.system.fork_server"])
    forkserver.ensure_running()


def start(work: Callable[..., None], arguments: tuple[Any, ...], output: Path) -> Child:
    """Starts a process that does `work`, a function of a module; what it prints is added to `output`.

    It is out of reach of signals at the terminal, and gets SIGTERM where this process ends. Of GPUs it sees one.
    """
    begin(jobs=1)  # where nobody has begun it
    ours, theirs = _context.Pipe(duplex=False)
    surroundings = Path.cwd(), dict(os.environ)  # the server has those of its start
    process = _context.Process(
        target=_within, args=(work, arguments, output, theirs, *surroundings), daemon=False
    )
    process.start()
    theirs.close()
    return Child(process, ours)


def tell(what: str, value: Any) -> None:
    """Tells something to the process that started this one; nothing happens where there is none that listens."""
    if _starter is None:
        return
    try:
        _starter.send((what, value))
    except OSError:  # it is gone, and this one is about to be stopped
        return


@dataclass(frozen=True)
class Ended:
    """The exit code of a process that has ended, below 0 for a signal, and the seconds that it took."""

    exit_code: int
    seconds: float


def side_by_side(
    starts: Sequence[Callable[[], Child]],
    jobs: int,
    hear: Callable[[int, str, Any], None] = lambda number, what, value: None,
    has_room: Callable[[int], bool] = lambda running: True,
) -> Iterator[tuple[int, Ended]]:
    """Starts processes, so many at a time, and yields the number of each, from 0, when it has ended.

    hear: takes the number of a process, and what it tells; has_room: whether, beside so many, one more may start
    """
    waiting = deque(enumerate(starts))
    running: dict[int, tuple[Child, float]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs and (not running or has_room(len(running))):
                number, start = waiting.popleft()
                running[number] = start(), time.monotonic()
            for number, (child, started) in list(running.items()):
                exit_code = (
                    child.process.exitcode
                )  # before it is listened to: its last words come after nothing else
                for what, value in child.told():
                    hear(number, what, value)
                if exit_code is not None:
                    del running[number]
                    yield number, Ended(exit_code, time.monotonic() - started)
            time.sleep(0.05)
    finally:
        end([child.process for child, _ in running.values()])


def end(processes: Sequence[BaseProcess]) -> None:
    """Ends processes, which write a checkpoint at the end of a tick first; kills what takes more than a minute."""
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.join(60)
        except Stopped:
            process.kill()
        if process.exitcode is None:
            process.kill()


def run_prnn(arguments: list[str]) -> None:
    """The command line `prnn ARGUMENTS`, as the work of a process."""
    sys.argv = ["prnn", *arguments]
    runpy.run_module("prnn_cli", run_name="__main__")


def _within(
    work: Callable[..., None],
    arguments: tuple[Any, ...],
    output: Path,
    starter: Connection,
    folder: Path,
    environment: Mapping[str, str],
) -> None:
    global _starter
    _starter = starter
    os.chdir(folder)
    os.environ.update(environment)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # which the server ignores
    os.setsid()
    with output.open("ab") as said, open(os.devnull, "rb") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with own_gpu():
        work(*arguments)


def _end_with_parent() -> None:
    if (parent := parent_process()) is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
