"""Runs prnn in a process of its own, on which a fault falls at a chosen write.

Python tells an audit hook of each file that it opens, moves, removes, … before it does so: that is where the
process is killed, or refused. What libraries write by themselves lies between two of these moments.
"""

import errno
import multiprocessing
import os
import resource
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(  # what a run imports, lest each process take a second for it
    [
        *("prnn_cli.app.hydra_app", "prnn_cli.commands.train", "prnn_cli.commands.evaluate"),
        *("prnn_cli.features.extractors.tfidf", "prnn_cli.baselines.item_knn", "hydra_plugins.prnn"),
        *("sklearn.feature_extraction.text", "scipy.sparse", "pyarrow.parquet"),
    ]
)

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.chmod", "os.truncate"}


@dataclass(frozen=True)
class Ended:
    """exit_code is minus the signal's number where one ended the process."""

    exit_code: int
    output: str
    writes: int


@dataclass(frozen=True)
class Kill:
    """SIGKILL just before the process's nth change of a file."""

    at: int

    def fall(self, path: str) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Refuse:
    """The nth change of a file is refused, as by a full disk; with `ever_after` all later ones too."""

    at: int
    number: int = errno.ENOSPC
    ever_after: bool = False

    def fall(self, path: str) -> None:
        raise OSError(self.number, os.strerror(self.number), path)


@dataclass(frozen=True)
class SmallFiles:
    """No file may grow beyond so many bytes: a full disk that falls on what libraries write."""

    size: int


Fault = Kill | Refuse | SmallFiles


def prnn(
    folder: Path,
    *arguments: str,
    fault: Fault | None = None,
    kill_after_s: float | None = None,
) -> Ended:
    """`prnn arguments` in `folder`, with the cache there."""
    output = folder.with_suffix(".output")
    output.touch()
    process = SERVER.Process(target=_run, args=(arguments, folder, output, fault))
    process.start()
    if kill_after_s is not None:
        time.sleep(kill_after_s)
        process.kill()
    process.join(120)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise AssertionError(f"prnn hangs: {output.read_text()}")
    count = folder.with_suffix(".count")
    writes = int(count.read_text()) if count.is_file() else 0
    count.unlink(missing_ok=True)
    return Ended(process.exitcode, output.read_text(), writes)


def _run(arguments: tuple[str, ...], folder: Path, output: Path, fault: Fault | None) -> None:
    from prnn_cli.cli import main

    os.chdir(folder)
    os.environ["PRNN_CACHE_DIR"] = str(folder / "cache")
    stream = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(stream, 1)
    os.dup2(stream, 2)
    watch = _Watch(folder, fault)
    sys.addaudithook(watch)
    if isinstance(fault, SmallFiles):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (fault.size, fault.size))
    exit_code = main(arguments)
    watch.fault = None
    folder.with_suffix(".count").write_text(str(watch.writes))
    sys.stdout.flush()
    sys.exit(exit_code)


class _Watch:
    def __init__(self, folder: Path, fault: Fault | None) -> None:
        self.folder, self.fault, self.writes = folder, fault, 0

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not (event in CHANGES or (event == "open" and _is_write(arguments))):
            return
        path = os.fsdecode(arguments[0])
        if not os.path.join(os.getcwd(), path).startswith(str(self.folder)):  # noqa: PTH109, PTH118
            return
        self.writes += 1
        match self.fault:
            case Kill(at) if self.writes == at:
                self.fault.fall(path)
            case Refuse(at, _, ever_after) if self.writes == at or (ever_after and self.writes > at):
                self.fault.fall(path)


def _is_write(arguments: tuple[Any, ...]) -> bool:
    path, _, flags = arguments
    return isinstance(path, str | bytes | os.PathLike) and bool(
        flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    )
