"""Image files -> RGB images, and whatever is computed of each while several processes read them."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from prnn_cli.errors import first_line

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")  # no EPS, whose reader runs a program

Describe = Callable[[Image.Image], np.ndarray | Tensor]


def read_image(file: Path) -> Image.Image:
    """Reads the first picture of a file as RGB, turned as its EXIF data say, on white where it is transparent.

    Raises whatever Pillow does for a damaged file, its warning for one of too many pixels, and `ValueError` for numbers
    that no viewer agrees on how to show.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(file, formats=FORMATS) as image:
            if image.mode in ("F", "I") and image.format != "PNG":  # whose numbers have 16 bits
                raise ValueError("numbers of 32 bits have no agreed brightness; save it with 8 or 16 bits")
            return _to_rgb(_upright(image))


def load_images(
    files: Sequence[Path | None], batches: list[list[int]], describe: Describe, workers: int
) -> Iterator[tuple[Tensor, list[str | None]]]:
    """Yields for each batch of rows of `files` what `describe` makes of the images, (B, …), and what was wrong.

    The latter is None for an image that was read; a black one stands for the others. `workers` processes read ahead;
    0 reads in this one.
    """
    workers = min(workers, len(batches))
    images = _Images(files, describe)
    yield from DataLoader(images, batch_sampler=batches, num_workers=workers, collate_fn=_collate)


def _upright(image: Image.Image) -> Image.Image:
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # damaged EXIF data, in as many ways as there are cameras, hide no picture
        return image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    elif image.mode.startswith("I"):  # 16 bits of grey, which Pillow would clip to 255
        image = Image.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8))
    return image.convert("RGB")


class _Images(Dataset[tuple[Tensor, str | None]]):
    """What `describe` makes of the image in each file, or of a black one and the reason where it cannot be read."""

    def __init__(self, files: Sequence[Path | None], describe: Describe) -> None:
        self.files, self.describe = files, describe

    def __getitem__(self, row: int) -> tuple[Tensor, str | None]:
        file = self.files[row]
        assert file is not None
        try:
            return torch.as_tensor(self.describe(read_image(file))), None
        except Exception as error:  # damaged files make Pillow raise errors of many kinds
            return torch.as_tensor(self.describe(Image.new("RGB", (1, 1)))), _reason(error)


def _collate(results: list[tuple[Tensor, str | None]]) -> tuple[Tensor, list[str | None]]:
    described, reasons = zip(*results, strict=True)
    return torch.stack(described), list(reasons)


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"not one of {', '.join(FORMATS)}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return first_line(error)
