"""The cache: files of arrays and folders that one process makes once, and that carry what they were made from."""

import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from prnn_cli.errors import RunError, first_line
from prnn_cli.system.files import atomic_folder, hash_of, remove_remains, set_aside, write_json
from prnn_cli.system.locks import exclusive_lock
from prnn_cli.system.tensor_files import DamagedFileError, read_tensors, write_tensors

SEAL = "checksums.json"  # of a folder: its identity, and the checksums of its files

log = logging.getLogger(__name__)

T = TypeVar("T")


class StaleCacheError(DamagedFileError):
    """A whole file or folder that another version of prnn has written; the message says which format it has."""


@dataclass(frozen=True)
class Identity:
    """The key of a cached file or folder: all that it is made from.

    format: number of the rules by which it is made and of how it is written
    hash: of the format and of all else that the content depends on
    """

    format: int
    hash: str

    @classmethod
    def of(cls, format: int, value: Any, files: Iterable[Path] = ()) -> "Identity":
        """Identity by a JSON-serialisable value and the content of `files`; raises `OSError` for one that can't be
        read."""
        return cls(format, hash_of([format, value], files))

    def marks(self) -> dict[str, str]:
        """Texts that the cached file or folder carries, for `check`."""
        return {"format": str(self.format), "identity": self.hash}

    def check(self, marks: Mapping[str, Any]) -> None:
        """Raises `StaleCacheError` or `DamagedFileError` where `marks` are not those of this identity."""
        if (found := marks.get("format", "none")) != str(self.format):
            raise StaleCacheError(f"{found}, not {self.format}")
        if marks.get("identity") != self.hash:
            raise DamagedFileError("it was made from something else")


def load_or_make(path: Path, load: Callable[[], T], make: Callable[[], T], what: str = "") -> T:
    """Loads what lies at `path`, or makes it there while other processes that need it wait.

    Where `load` raises `DamagedFileError`, `path` is set aside with a warning, and made again. `what` names it in the
    line that tells of its reuse; without a name there is none.
    """
    with exclusive_lock(path):
        remove_remains(path.parent)
        if path.exists():
            with set_aside_if_damaged(path):
                found = load()
                if what:
                    log.info("reusing %s in %s", what, path)
                return found
        return make()


@contextmanager
def set_aside_if_damaged(path: Path) -> Iterator[None]:
    """Ends a `DamagedFileError` with a warning, and moves `path` out of the way of what is made again.

    Raises `RunError` for what only another user may read: it may well be whole.
    """
    try:
        yield
    except DamagedFileError as damage:
        _refuse_what_others_keep(path)
        how = "is of another format" if isinstance(damage, StaleCacheError) else "is damaged"
        log.warning("%s %s (%s); set aside as %s, making it again", path, how, damage, set_aside(path).name)


def _refuse_what_others_keep(path: Path) -> None:
    effective = os.access in os.supports_effective_ids
    parts = [path]
    if path.is_dir() and os.access(path, os.R_OK | os.X_OK, effective_ids=effective):
        parts += path.iterdir()
    for each in parts:
        if each.exists() and not os.access(each, os.R_OK, effective_ids=effective):
            raise RunError(
                f"{each} cannot be read: another user has made it for themselves; let them allow it (chmod -R a+rX), "
                "or choose a cache of your own with cache_dir=DIR or PRNN_CACHE_DIR"
            )


def save_arrays(file: Path, identity: Identity, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes a safetensors file for `load_arrays`."""
    write_tensors(file, {name: torch.from_numpy(array) for name, array in arrays.items()}, identity.marks())


def load_arrays(file: Path, identity: Identity) -> dict[str, np.ndarray]:
    """Arrays by name. Raises `DamagedFileError` for a file that is not whole, or not of this identity."""
    tensors, marks = read_tensors(file)
    identity.check(marks)
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def cached_folder(parent: Path, identity: Identity, fill: Callable[[Path], None]) -> Path:
    """Folder of `parent` that the identity's hash names; `fill` is called with an empty one to make it."""
    folder = parent / identity.hash

    def make() -> None:
        with sealed_folder(folder, identity) as empty:
            fill(empty)

    load_or_make(folder, lambda: check_seal(folder, identity), make)
    return folder


@contextmanager
def sealed_folder(folder: Path, identity: Identity) -> Iterator[Path]:
    """Yields an empty folder that becomes `folder` with a seal for `check_seal`, or vanishes on any failure."""
    with atomic_folder(folder) as temporary:
        yield temporary
        files = sorted(file for file in temporary.iterdir() if file.is_file())
        checksums = {file.name: hash_of(None, [file]) for file in files}
        write_json(temporary / SEAL, identity.marks() | {"files": checksums})


def check_seal(folder: Path, identity: Identity) -> None:
    """Raises `DamagedFileError` for a folder of another identity, or with a file that is gone or has changed."""
    try:
        seal = json.loads((folder / SEAL).read_text(encoding="utf-8"))
        identity.check(seal)
        for name, checksum in seal["files"].items():
            if hash_of(None, [folder / Path(name).name]) != checksum:
                raise DamagedFileError(f"{name} has another checksum than when it was written")
    except (OSError, ValueError, LookupError, AttributeError) as error:
        # Of a seal that is no longer one, too.
        raise DamagedFileError(first_line(error)) from error
