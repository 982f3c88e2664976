"""Files and folders that are either whole or absent, and hashes that name their content."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import socket
import time
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from prnn_cli.errors import RunError

HASHED_BYTES = 1 << 24  # of a file at a time
FOREIGN_S = 7 * 86_400  # after which the temporary file of another machine is nobody's

_HOST = hashlib.blake2b(socket.gethostname().encode(), digest_size=4).hexdigest()
_TEMPORARY = re.compile(r"\..*\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.tmp(\..*)?")  # host, process

_UMASK = os.umask(0)
os.umask(_UMASK)


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`; moves it into place on success, removes it on any failure."""
    with _refusals_explained(path):
        temporary = _room_beside(path)
        try:
            yield temporary
            temporary.chmod(0o666 & ~_UMASK)  # safetensors makes files that only their owner may read
            _flush_to_disk(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Like `atomic_write` for a folder. Another process that made `path` meanwhile wins: both made the same."""
    with _refusals_explained(path):
        temporary = _room_beside(path)
        temporary.mkdir()
        try:
            yield temporary
            with contextlib.suppress(FileExistsError):
                _move_folder(temporary, path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def link_or_copy(source: Path, target: Path) -> None:
    """Puts the content of a file that nobody changes in place at `target` too, whole or not at all.

    It takes no room where the file system can link.
    """
    with atomic_write(target) as temporary:
        try:
            found = source.stat()
            # A link shares its permissions: neither the owner's nor those of another umask may change with it.
            if (found.st_uid, found.st_mode & 0o777) != (os.getuid(), 0o666 & ~_UMASK):
                raise PermissionError
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)


def write_text(path: Path, text: str) -> None:
    """Writes a file in UTF-8, whole or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Writes a JSON file, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def hash_of(value: Any, files: Iterable[Path] = ()) -> str:
    """A hash, 32 hex digits, of a JSON-serialisable value and the content of `files` (their names don't count)."""
    digest = hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=16)
    for path in files:
        digest.update(_digest_of(path))
    return digest.hexdigest()


def _digest_of(path: Path) -> bytes:
    """A digest of a file: of a large one, the digest of its blocks' digests, which all cores make."""

    def of_block(start: int) -> bytes:
        with path.open("rb") as stream:
            stream.seek(start)
            return hashlib.blake2b(stream.read(HASHED_BYTES)).digest()

    size = path.stat().st_size
    if size <= HASHED_BYTES:
        return of_block(0)
    from prnn_cli.system.progress import meter  # of large files alone, as rich takes a while to import

    whole = hashlib.blake2b()
    with ThreadPoolExecutor(os.cpu_count()) as threads, meter("checking", size) as progress:
        for number, digest in enumerate(threads.map(of_block, range(0, size, HASHED_BYTES))):
            whole.update(digest)
            progress.update(min(size, (number + 1) * HASHED_BYTES), path.name)
    return whole.digest()


def remove_remains(folder: Path) -> None:
    """Removes the temporary files and folders in `folder` of processes that died while they wrote."""
    for path in folder.glob(".*.tmp*"):
        if (found := _TEMPORARY.fullmatch(path.name)) and _is_left(path, found[1], int(found[2])):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def set_aside(path: Path) -> Path:
    """Moves a damaged file or folder out of the way, over one that was set aside before; returns where it is now."""
    aside = path.with_name(f"{path.name}.damaged")
    with _refusals_explained(path):
        if aside.is_dir():
            shutil.rmtree(aside)
        with contextlib.suppress(FileNotFoundError):  # another process was faster
            path.replace(aside)
    return aside


def _is_left(path: Path, host: str, process: int) -> bool:
    if host != _HOST:
        with contextlib.suppress(FileNotFoundError):
            return time.time() - path.stat().st_mtime > FOREIGN_S
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # alive, of another user
        pass
    return False


@contextlib.contextmanager
def _refusals_explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(
            f"cannot write {path}: {error.strerror or error}; nothing was left half-written; "
            "make room or choose another folder, then run the same command again"
        ) from error


def _move_folder(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except OSError as error:
        if target.is_dir() and any(target.iterdir()):
            raise FileExistsError(target) from error
        raise


def _flush_to_disk(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _room_beside(path: Path) -> Path:
    """A temporary path beside `path`, in a folder that exists and holds nothing of processes that died.

    Its name says which process makes it, so that others know when it is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_remains(path.parent)
    maker = f"{_HOST}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    return path.with_name(f".{path.stem}.{maker}.tmp{path.suffix}")
