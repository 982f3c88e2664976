"""Work on a cached file or folder that one process does while others wait for it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prnn_cli.errors import refused_by_the_system


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Holds `path`, which need not exist, against other processes that hold it too; a dead process holds nothing. Who
    waited looks for what the other one made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(f".{path.name}.lock").open("a")
    except OSError as error:
        raise refused_by_the_system(error) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
