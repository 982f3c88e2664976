"""Locks on files that processes hold against each other; the kernel lets go of those of a dead process."""

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path

from prnn_cli.errors import RunError

log = logging.getLogger(__name__)

PATIENCE_S, RETRY_S = 0.5, 0.05  # `is_locked` holds a lock for a moment, and nobody is refused for that


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Waits until no other process works on `path`, a file or folder that need not exist; then others wait.

    Who waited looks for what the other one made. Afterwards neither the lock nor an empty folder is left. Raises
    `RunError` where no lock can be written beside `path`.
    """
    lock_file = path.with_name(f".{path.name}.lock")
    lock = _locked(lock_file, wait=False)
    if lock is None:
        log.info("another process works on %s; waiting for it", path)
        lock = _locked(lock_file, wait=True)
    assert lock is not None  # who waits gets it
    with lock:
        try:
            yield
        finally:
            with suppress(OSError):  # a folder that is not empty, or that others are about to use
                lock_file.unlink()
                lock_file.parent.rmdir()
                lock_file.parent.parent.rmdir()


@contextmanager
def try_lock(lock_file: Path, patience_s: float = PATIENCE_S) -> Iterator[bool]:
    """Yields whether the lock is ours, which it isn't where another process holds it for longer than `patience_s`.

    The file is removed afterwards. Raises `RunError` where it cannot be written.
    """
    deadline = time.monotonic() + patience_s
    while (lock := _locked(lock_file, wait=False)) is None and time.monotonic() < deadline:
        time.sleep(RETRY_S)
    if lock is None:
        yield False
        return
    with lock:
        try:
            yield True
        finally:
            lock_file.unlink(missing_ok=True)


def is_locked(lock_file: Path) -> bool:
    """Whether a process holds the lock."""
    try:
        with lock_file.open() as lock:
            return not _take(lock, wait=False)
    except FileNotFoundError:
        return False


def _locked(lock_file: Path, wait: bool) -> TextIOWrapper | None:
    """The open file, locked; None where another process holds it. Who held it before has removed the file, so it has
    to be the one that stands there now."""
    while True:
        try:
            lock = _opened(lock_file)
        except OSError as error:
            raise RunError(f"cannot write {lock_file}: {error.strerror}") from error
        if not _take(lock, wait):
            lock.close()
            return None
        with suppress(FileNotFoundError):
            if os.path.samestat(lock_file.stat(), os.fstat(lock.fileno())):
                return lock
        lock.close()


def _opened(lock_file: Path, tries: int = 100) -> TextIOWrapper:
    try:
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        return lock_file.open("a")
    except FileNotFoundError:  # another process has just removed the empty folder, or nobody can make it
        if tries == 0:
            raise
        return _opened(lock_file, tries - 1)


def _take(lock: TextIOWrapper, wait: bool) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
