"""Image files -> a vector each, in parts: what is finished is kept, and not done again after an interruption."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from prnn_cli.errors import UserError
from prnn_cli.features.images import load_images
from prnn_cli.schema import ImagesConfig
from prnn_cli.system.cache import Identity, load_arrays, save_arrays, set_aside_if_damaged
from prnn_cli.system.files import hash_of
from prnn_cli.system.progress import meter

FORMAT_VERSION = 3  # part of the hash: raise it with every change of the preprocessing or of what is written
PART_SIZE = 512  # images whose vectors share a file: what an interruption can cost

log = logging.getLogger(__name__)


class ImageEncoder(ABC):
    """The way from an RGB image to its vector.

    size: F, the length of a vector
    """

    size: int

    @staticmethod
    @abstractmethod
    def describe(image: Image.Image) -> np.ndarray | Tensor:
        """What the process that reads an image makes of it: its vector (F,), or else what `embed` takes.

        All images give the same shape and type.
        """

    def embed(self, described: Tensor) -> np.ndarray:
        """The vectors (B, F) float32 of a batch (B, …) of described images, computed in the process that extracts."""
        return described.numpy()

    @cached_property
    def weights(self) -> list[Path]:
        """The files, such as a network's weights, on which the vectors depend beside the images."""
        return []


def extract_images(
    files: Sequence[Path | None], encoder: ImageEncoder, config: ImagesConfig, store: Path
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (num_files, F) float32, and which files gave one (num_files,) bool; the others are zero.

    `store` keeps finished parts, each named by a hash of its files' names, sizes and times and of the weights.
    Raises `UserError` once more than `config.max_bad_share` of the files that exist cannot be read.
    """
    extraction = _Extraction(files, encoder, config)
    if extraction.exists.any():
        parts = extraction.resume(store, hash_of(None, encoder.weights))
        if extraction.todo.any():
            extraction.run(parts)
    extraction.report()
    return extraction.vectors, extraction.found


@dataclass(frozen=True)
class _Part:
    """Consecutive images whose vectors are kept in one file."""

    rows: slice
    store: Path
    identity: Identity

    @property
    def path(self) -> Path:
        return self.store / f"{self.identity.hash}.safetensors"

    def batches(self, todo: np.ndarray, batch_size: int) -> list[list[int]]:
        """The part's files that are still to be done, in batches."""
        rows = self.rows.start + np.flatnonzero(todo[self.rows])
        return [rows[start : start + batch_size].tolist() for start in range(0, len(rows), batch_size)]


class _Extraction:
    """An extraction that is going on.

    vectors, found: as `extract_images` returns them, as far as they are known
    versions: of each file, changes when the file does; None where there is no file
    unreadable: "file (reason)" of each that this extraction could not read
    """

    def __init__(self, files: Sequence[Path | None], encoder: ImageEncoder, config: ImagesConfig) -> None:
        self.files, self.encoder, self.config = files, encoder, config
        self.vectors = np.zeros((len(files), encoder.size), dtype=np.float32)
        self.found = np.zeros(len(files), dtype=bool)
        self.versions = [_version(file) for file in files]
        self.exists = np.array([version is not None for version in self.versions], dtype=bool)
        self.unreadable: list[str] = []

    @property
    def todo(self) -> np.ndarray:
        """(num_files,) bool, the files without a vector so far.

        What could not be read before is tried again: the reason may have been the machine's.
        """
        return self.exists & ~self.found

    def resume(self, store: Path, weights_hash: str) -> list[_Part]:
        """Takes over the vectors of parts that were finished earlier; returns all parts."""
        slices = [slice(start, start + PART_SIZE) for start in range(0, len(self.files), PART_SIZE)]
        parts = [
            _Part(rows, store, Identity.of(FORMAT_VERSION, [weights_hash, self.versions[rows]]))
            for rows in slices
        ]
        for part in parts:
            if part.path.is_file():
                self._load(part)
        if self.found.any():
            log.info("%d of %d images were finished earlier", self.found.sum(), self.exists.sum())
        return parts

    def run(self, parts: Sequence[_Part]) -> None:
        """Makes the missing vectors, and saves each part as it is finished."""
        # batches don't reach over parts, so that a resumed extraction ends with the same bits
        todo = self.todo
        work = [(part, part.batches(todo, self.config.batch_size)) for part in parts]
        batches = [rows for _, of_part in work for rows in of_part]
        loaded = load_images(self.files, batches, self.encoder.describe, self.config.workers)
        done = 0
        with meter("images", int(todo.sum())) as progress:
            for part, of_part in work:
                for rows in of_part:
                    described, reasons = next(loaded)
                    self._take(rows, self.encoder.embed(described), reasons)
                    done += len(rows)
                    progress.update(done, f"{len(self.unreadable)} unreadable" if self.unreadable else "")
                if of_part:
                    self._save(part)
                self._check_share()

    def report(self) -> None:
        """Logs how many items have an image, and warns of images that cannot be read."""
        log.info(
            "%d of %d items have an image, %d have no file",
            *(self.found.sum(), len(self.found), (~self.exists).sum()),
        )
        if self.unreadable:
            log.warning(
                "%d of %d images cannot be read, the first is %s",
                *(len(self.unreadable), self.exists.sum(), self.unreadable[0]),
            )

    def _load(self, part: _Part) -> None:
        with set_aside_if_damaged(part.path):
            stored = load_arrays(part.path, part.identity)
            self.vectors[part.rows] = stored["vectors"]
            self.found[part.rows] = stored["found"]

    def _save(self, part: _Part) -> None:
        arrays = {"vectors": self.vectors[part.rows], "found": self.found[part.rows]}
        save_arrays(part.path, part.identity, arrays)

    def _take(self, rows: list[int], vectors: np.ndarray, reasons: list[str | None]) -> None:
        for row, vector, reason in zip(rows, vectors, reasons, strict=True):
            if reason is None:
                self.vectors[row], self.found[row] = vector, True
            else:
                self.unreadable.append(f"{self.files[row]} ({reason})")

    def _check_share(self) -> None:
        share, total = self.config.max_bad_share, int(self.exists.sum())
        if len(self.unreadable) > share * total:
            raise UserError(
                f"{len(self.unreadable)} of {total} images cannot be read, more than "
                f"features.images.max_bad_share={share:g} allows, the first is {self.unreadable[0]}; "
                "mend or remove them, or allow more"
            )


def _version(file: Path | None) -> tuple[str, int, int] | None:
    if file is None:
        return None
    try:
        status = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:  # there, but not for us: opening it will give the reason
        return str(file), 0, 0
    return str(file), status.st_size, status.st_mtime_ns
