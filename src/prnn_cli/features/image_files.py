"""Image files -> GoogLeNet's last average pooling, l2-normalised. What is finished is kept, and not done again."""

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from PIL import Image, UnidentifiedImageError
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from prnn_cli.errors import UserError, first_line
from prnn_cli.features.googlenet import MEAN, NUM_FEATURES, STD, GoogLeNet, load_googlenet, weights_file
from prnn_cli.schema import ImagesConfig
from prnn_cli.system.cache import Identity, load_arrays, save_arrays, set_aside_if_damaged
from prnn_cli.system.files import hash_of
from prnn_cli.system.progress import meter

FORMAT_VERSION = 2  # part of the hash: raise it with every change of the preprocessing or of what is written
PART_SIZE = 512  # images whose vectors share a file: what an interruption can cost

SHORTER_SIDE, CROP = 256, 224  # pixels

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")  # no EPS, whose reader runs a program

log = logging.getLogger(__name__)


def extract_images(
    files: Sequence[Path | None], config: ImagesConfig, device: torch.device | str, store: Path
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (num_files, 1024) float32, and which files gave one (num_files,) bool; the others are zero.

    `store` keeps finished parts, each named by a hash of its files' names, sizes and times and of the weights.
    Raises `UserError` once more than `config.max_bad_share` of the files that exist cannot be read.
    """
    extraction = _Extraction(files, config)
    if extraction.exists.any():
        checkpoints = Path(torch.hub.get_dir()) / "checkpoints"  # shared with torchvision
        weights = weights_file(config.weights, checkpoints)
        parts = extraction.resume(store, hash_of(None, [weights]))
        if extraction.todo.any():
            extraction.run(load_googlenet(str(weights), checkpoints, device), device, parts)
    extraction.report()
    return extraction.vectors, extraction.found


def preprocess(image: Image.Image) -> Tensor:
    """An RGB image as the weights expect it: (3, 224, 224) float32."""
    return normalise(crop(image))


def read_image(file: Path) -> Image.Image:
    """The first picture of the file in RGB, on white where it is transparent.

    Raises whatever Pillow does for a damaged file, and its warning for one of too many pixels.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(file, formats=FORMATS) as image:
            return _to_rgb(image)


def crop(image: Image.Image) -> Tensor:
    """The centre of an RGB image resized to a shorter side of 256: (3, 224, 224) uint8.

    Nothing outside the crop is computed, which bounds the work on a picture as long as a ribbon.
    """
    shorter = min(image.size)
    (left, right), (top, bottom) = (_centre(side, shorter) for side in image.size)
    pixels = image.resize((CROP, CROP), Image.Resampling.BILINEAR, box=(left, top, right, bottom))
    return torch.from_numpy(np.array(pixels)).permute(2, 0, 1).contiguous()


def normalise(pixels: Tensor) -> Tensor:
    """uint8 (…, 3, height, width) -> float32, by the mean and the deviation of each channel."""
    mean, std = (torch.tensor(values, device=pixels.device).view(3, 1, 1) for values in (MEAN, STD))
    return (pixels.float() / 255 - mean) / std


def _centre(side: int, shorter: int) -> tuple[float, float]:
    """Where the crop begins and ends, in pixels of the original image."""
    resized = SHORTER_SIDE * side // shorter
    start = round((resized - CROP) / 2)
    return start * side / resized, (start + CROP) * side / resized


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    elif image.mode.startswith("I"):  # 16 bits of grey, which Pillow would clip to 255
        image = Image.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8))
    return image.convert("RGB")


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
        rows = self.rows.start + np.flatnonzero(todo[self.rows])
        return [rows[start : start + batch_size].tolist() for start in range(0, len(rows), batch_size)]


class _Extraction:
    """
    versions: of each file, changes when the file does; None where there is no file
    unreadable: "file (reason)"
    """

    def __init__(self, files: Sequence[Path | None], config: ImagesConfig) -> None:
        self.files, self.config = files, config
        self.vectors = np.zeros((len(files), NUM_FEATURES), dtype=np.float32)
        self.found = np.zeros(len(files), dtype=bool)
        self.versions = [_version(file) for file in files]
        self.exists = np.array([version is not None for version in self.versions], dtype=bool)
        self.unreadable: list[str] = []

    @property
    def todo(self) -> np.ndarray:
        """What could not be read before is tried again: the reason may have been the machine's."""
        return self.exists & ~self.found

    def resume(self, store: Path, weights_hash: str) -> list[_Part]:
        """Takes what finished parts hold; returns all parts."""
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

    def run(self, network: GoogLeNet, device: torch.device | str, parts: Sequence[_Part]) -> None:
        # batches don't reach over parts, so that a resumed extraction ends with the same bits
        todo = self.todo
        work = [(part, part.batches(todo, self.config.batch_size)) for part in parts]
        batches = [rows for _, of_part in work for rows in of_part]
        decoded = iter(_loader(self.files, batches, self.config.workers))
        done = 0
        with meter("images", int(todo.sum())) as progress:
            for part, of_part in work:
                for rows in of_part:
                    pixels, reasons = next(decoded)
                    self._take(rows, _embed(pixels, network, device), reasons)
                    done += len(rows)
                    progress.update(done, f"{len(self.unreadable)} unreadable" if self.unreadable else "")
                if of_part:
                    self._save(part)
                self._check_share()

    def report(self) -> None:
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


@torch.inference_mode()
def _embed(pixels: Tensor, network: GoogLeNet, device: torch.device | str) -> np.ndarray:
    images = normalise(pixels.to(device))
    if images.device.type == "cpu":
        images = images.contiguous(memory_format=torch.channels_last)  # 1.5 times as fast there
    # without TF32, or vectors from a GPU would differ from a CPU's in the third digit
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        vectors: Tensor = network(images)
    return F.normalize(vectors, dim=1).cpu().numpy()


class _Crops(Dataset[Tensor | str]):
    """The crop of each file, or the reason why there is none."""

    def __init__(self, files: Sequence[Path | None]) -> None:
        self.files = files

    def __getitem__(self, row: int) -> Tensor | str:
        file = self.files[row]
        assert file is not None
        try:
            return crop(read_image(file))
        except Exception as error:  # damaged files make Pillow raise errors of many kinds
            return _reason(error)


def _loader(files: Sequence[Path | None], batches: list[list[int]], workers: int) -> DataLoader[Tensor | str]:
    """For each batch crops (B, 3, 224, 224) uint8, black where there is a reason, and the reasons."""
    # uint8 crosses from the workers in a quarter of the shared memory that normalised images would take
    return DataLoader(
        _Crops(files), batch_sampler=batches, num_workers=min(workers, len(batches)), collate_fn=_collate
    )


def _collate(results: list[Tensor | str]) -> tuple[Tensor, list[str | None]]:
    black = torch.zeros(3, CROP, CROP, dtype=torch.uint8)
    pixels = torch.stack([black if isinstance(result, str) else result for result in results])
    return pixels, [result if isinstance(result, str) else None for result in results]


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"not one of {', '.join(FORMATS)}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return first_line(error)
