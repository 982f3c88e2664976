"""What runs and the cache have left that nobody needs any more: found, measured, and removed."""

import re
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from prnn_cli.errors import UserError, refused_by_the_system
from prnn_cli.run_folder import RunFolder, is_sweep
from prnn_cli.system.locks import is_locked

KINDS = {  # of what the cache holds, by folder
    "prepared": "prepared data",
    "features": "item vectors",
    "ranks": "ranks of a baseline",
    "plans": "a plan of mini-batches",
    "synthetic": "a generated log",
}
HASH = re.compile(rb"[0-9a-f]{32}")
DAY_S = 86_400
HEADER = 1 << 20  # bytes of a checkpoint that are looked into, which say what it was made from


@dataclass(frozen=True)
class Leftover:
    """A file or folder that can go. what: why; size: bytes that its removal frees; age_s: since it was last used"""

    path: Path
    what: str
    size: int
    age_s: float

    def remove(self) -> None:
        """Removes it. Raises `RunError` where the system refuses."""
        try:
            if self.path.is_dir() and not self.path.is_symlink():
                shutil.rmtree(self.path)
            else:
                self.path.unlink(missing_ok=True)
            with suppress(OSError):  # a folder that still holds something
                if self.path.name.endswith(".safetensors"):
                    self.path.parent.rmdir()
        except OSError as error:
            raise refused_by_the_system(error) from error


def leftovers(runs: Path, cache: Path, days: float, sweeps: bool, checkpoints: bool) -> list[Leftover]:
    """What can go below the folders, the largest first; nothing that was used within so many days, or is in use.

    sweeps: look into the folders of sweeps too; checkpoints: take those of finished runs too
    """
    found = [*_unfinished(runs, sweeps), *_damaged(runs), *_damaged(cache), *_unreferred(cache, runs)]
    if checkpoints:
        found += _checkpoints_of_finished(runs)
    old = [each for each in found if each.age_s >= days * DAY_S]
    inside = {each.path for each in old}
    return sorted(
        (each for each in old if not inside & {*each.path.parents}), key=lambda each: each.size, reverse=True
    )


def _unfinished(runs: Path, sweeps: bool) -> Iterator[Leftover]:
    """Folders that prnn named itself and in which no run ended well; with `sweeps` also the jobs of sweeps."""
    for path in _folders(runs):
        if is_sweep(path) and sweeps:
            candidates = _folders(path)
        elif RunFolder(path).is_named_by_date and not is_sweep(path):
            candidates = [path]
        else:
            continue
        for folder in map(RunFolder, candidates):
            if why := _why_unfinished(folder):
                yield _leftover(folder.path, why)


def _why_unfinished(folder: RunFolder) -> str:
    """Why the run in a folder is none that ended well; empty for one that did, that runs, or that is no run."""
    if not folder.is_begun():
        rest = [path for path in folder.path.iterdir() if path.suffix != ".log" and path.name != ".lock"]
        return "" if rest else "a run that never began"
    try:
        status = folder.status()["status"]
    except UserError:
        return ""  # resume=true mends it
    if status not in ("failed", "dead", "pruned") or folder.metrics_file.is_file():
        return ""
    resumable = ", can be resumed" if folder.checkpoint_files else ""
    return f"a run that is {status}{resumable}" if status == "dead" else f"a {status} run{resumable}"


def _damaged(root: Path) -> Iterator[Leftover]:
    for path in sorted(root.rglob("*.damaged")) if root.is_dir() else ():
        yield _leftover(path, "damaged, set aside")


def _checkpoints_of_finished(runs: Path) -> Iterator[Leftover]:
    for path in sorted(runs.rglob("checkpoint")) if runs.is_dir() else ():
        folder = RunFolder(path.parent)
        with suppress(UserError):
            if folder.metrics_file.is_file() and folder.status()["status"] == "done":
                yield _leftover(path, "the checkpoint of a finished run, for more epochs")


def _unreferred(cache: Path, runs: Path) -> Iterator[Leftover]:
    """Entries of the cache of which no run below `runs` says, or shows by a link, that it was made from them."""
    referred = _referred(runs)
    for path in (path for kind in KINDS for path in _entries(cache / kind)):
        found = HASH.search(path.name.encode())
        lock = path.with_name(f".{path.name}.lock")
        if found and found[0] not in referred and not is_locked(lock) and not _is_linked(path):
            # Whoever takes it from the cache reads it.
            read = max((file.lstat().st_atime for file in _files(path)), default=0.0)
            yield _leftover(path, f"{KINDS[path.parent.name]}, of no run; made again where needed", read)


def _referred(runs: Path) -> set[bytes]:
    """The hashes that the results and the checkpoints of runs name."""
    referred: set[bytes] = set()
    for pattern in ("metrics*.json", "state.safetensors", "previous.safetensors", "best.safetensors"):
        for path in runs.rglob(pattern) if runs.is_dir() else ():
            with suppress(OSError), path.open("rb") as stream:
                referred.update(HASH.findall(stream.read(HEADER)))
    return referred


def _is_linked(path: Path) -> bool:
    """Whether a run keeps a link to one of its files."""
    return any(file.lstat().st_nlink > 1 for file in _files(path))


def _leftover(path: Path, what: str, read: float = 0.0) -> Leftover:
    """read: the time at which it was last read, where that counts"""
    files = [file.lstat() for file in _files(path)]
    size = sum(stat.st_size for stat in files if stat.st_nlink == 1)
    used = max([read, *(stat.st_mtime for stat in files or [path.lstat()])])
    return Leftover(path, what, size, max(0.0, time.time() - used))


def _files(path: Path) -> Iterable[Path]:
    return (file for file in path.rglob("*") if not file.is_dir()) if path.is_dir() else [path]


def _folders(path: Path) -> list[Path]:
    return [each for each in _entries(path) if each.is_dir() and not each.is_symlink()]


def _entries(path: Path) -> list[Path]:
    return sorted(each for each in path.iterdir() if each.name[0] != ".") if path.is_dir() else []
