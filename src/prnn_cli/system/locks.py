"""Work on a cached file or folder that one process does while others wait for it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path

from prnn_cli.errors import RunError


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Holds `path`, which need not exist, against other processes that hold it too; a dead process holds nothing. Who
    waited looks for what the other one made. Afterwards neither the lock nor an empty folder is left."""
    lock_file = path.with_name(f".{path.name}.lock")
    with _locked(lock_file):
        try:
            yield
        finally:
            with suppress(OSError):  # a folder that is not empty, or that others are about to use
                lock_file.unlink()
                lock_file.parent.rmdir()
                lock_file.parent.parent.rmdir()


def _locked(lock_file: Path) -> TextIOWrapper:
    """Waits for the lock. Who held it before has removed the file, so it has to be the one that stands there now."""
    while True:
        try:
            lock_file.parent.mkdir(parents=True, exist_ok=True)
            lock = lock_file.open("a")
        except FileNotFoundError:  # another process has just removed the empty folder
            continue
        except OSError as error:
            raise RunError(f"cannot write {lock_file}: {error.strerror}") from error
        fcntl.flock(lock, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if lock_file.stat().st_ino == os.fstat(lock.fileno()).st_ino:
                return lock
        lock.close()
