"""Processes that begin with torch and the rest loaded: forks of a server that has done that, and nothing else, once.

A fork of this process itself would inherit its threads' locks, and a GPU that cannot be shared so.
"""

import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from prnn_cli.errors import Stopped

_context = get_context("forkserver")


def share_cores(jobs: int) -> None:
    """Gives each process a thread, where several are to run at a time; to be called before the first one starts.

    Libraries of linear algebra read their number of threads when they are loaded, and two that take all cores each
    slow one another down many times.
    """
    if jobs > 1:
        os.environ.setdefault("OMP_NUM_THREADS", "1")


def start(work: Callable[..., None], arguments: tuple[Any, ...], output: Path) -> BaseProcess:
    """Starts a process that does `work`, a function of a module; what it prints is added to `output`.

    It is out of reach of signals at the terminal, and gets SIGTERM where this process ends.
    """
    _context.set_forkserver_preload(["prnn_cli.system.fork_server"])
    process = _context.Process(target=_within, args=(work, arguments, output), daemon=False)
    process.start()
    return process


@dataclass(frozen=True)
class Ended:
    """A process that has ended, and the seconds that it took."""

    process: BaseProcess
    seconds: float


def side_by_side(starts: Sequence[Callable[[], BaseProcess]], jobs: int) -> Iterator[tuple[int, Ended]]:
    """Starts processes, so many at a time, and yields the number of each, from 0, when it has ended."""
    waiting = list(enumerate(starts))
    running: dict[int, tuple[BaseProcess, float]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                number, start = waiting.pop(0)
                running[number] = start(), time.monotonic()
            for number in [
                number for number, (process, _) in running.items() if process.exitcode is not None
            ]:
                process, started = running.pop(number)
                yield number, Ended(process, time.monotonic() - started)
            time.sleep(0.05)
    finally:
        end([process for process, _ in running.values()])


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


def _within(work: Callable[..., None], arguments: tuple[Any, ...], output: Path) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # which the server ignores
    os.setsid()
    with output.open("ab") as said, open(os.devnull, "rb") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    work(*arguments)


def _end_with_parent() -> None:
    if (parent := parent_process()) is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
