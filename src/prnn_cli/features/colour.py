"""Images -> histograms of their colours: what can be told of a picture without any weights."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from prnn_cli.errors import UserError, first_line
from prnn_cli.features.image_files import read_image
from prnn_cli.schema import ImagesConfig
from prnn_cli.system.progress import meter

LEVELS = 4  # of each of red, green and blue
SIDE = 128  # pixels of the square that every image is resized to
HALVES = slice(None, SIDE // 2), slice(SIDE // 2, None)
REGIONS = ((slice(None), slice(None)), *((rows, columns) for rows in HALVES for columns in HALVES))
SIZE = len(REGIONS) * LEVELS**3

log = logging.getLogger(__name__)


def colour_histograms(files: Sequence[Path | None], config: ImagesConfig) -> tuple[np.ndarray, np.ndarray]:
    """(num_files, SIZE) float32 of l2 norm 1, and (num_files,) bool where there was an image; others are zero.

    Raises `UserError` where more than `config.max_bad_share` of the images cannot be read.
    """
    vectors = np.zeros((len(files), SIZE), dtype=np.float32)
    rows = [row for row, file in enumerate(files) if file is not None]
    dataset = _Histograms([file for file in files if file is not None])
    bad: list[str] = []
    found = np.zeros(len(files), dtype=bool)
    loader = DataLoader(dataset, config.batch_size, num_workers=config.workers, collate_fn=list)
    with meter("images", len(files)) as progress:
        for row, histogram in zip(rows, (each for batch in loader for each in batch), strict=True):
            if isinstance(histogram, str):
                bad.append(f"{files[row]} ({histogram})")
            else:
                vectors[row], found[row] = histogram, True
            progress.update(row + 1, "")
    _judge(bad, len(rows), config.max_bad_share)
    return vectors, found


def colour_histogram(image: Image.Image) -> np.ndarray:
    """(SIZE,) float32: how frequent 64 colours are in an RGB image and in each of its quarters, which together weigh
    as much as the whole.

    Square roots are taken, so that the dot product of two vectors measures how far the histograms overlap
    (Bhattacharyya) and not whether they share their commonest colour.
    """
    pixels = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX))
    red, green, blue = np.moveaxis(pixels // (256 // LEVELS), -1, 0).astype(np.int64)
    colours = (red * LEVELS + green) * LEVELS + blue
    counts = np.concatenate([np.bincount(colours[region].ravel(), minlength=LEVELS**3) for region in REGIONS])
    roots = np.sqrt(counts)
    vector: np.ndarray = (roots / np.linalg.norm(roots)).astype(np.float32)
    return vector


class _Histograms(Dataset[np.ndarray | str]):
    """The histogram of each file, or the reason why there is none."""

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = files

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, row: int) -> np.ndarray | str:
        try:
            return colour_histogram(read_image(self.files[row]))
        except Exception as error:  # damaged files make Pillow raise errors of many kinds
            return first_line(error)


def _judge(bad: Sequence[str], num_files: int, max_bad_share: float) -> None:
    if not bad:
        return
    if len(bad) > max_bad_share * num_files:
        raise UserError(
            f"{len(bad)} of {num_files} images cannot be read, the first of them {bad[0]}; mend them, or raise "
            f"features.images.max_bad_share={max_bad_share:g}"
        )
    log.warning("%d of %d images cannot be read, such as %s", len(bad), num_files, bad[0])
