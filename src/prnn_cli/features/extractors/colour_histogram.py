"""Images -> histograms of their colours: what can be told of a picture without any weights."""

import numpy as np
from PIL import Image

from prnn_cli.features.extractor import Extractor
from prnn_cli.features.image_extractor import ImageExtractor

LEVELS = 4  # of each of red, green and blue
SIDE = 128  # pixels of the square that every image is resized to
HALVES = slice(None, SIDE // 2), slice(SIDE // 2, None)
REGIONS = ((slice(None), slice(None)), *((rows, columns) for rows in HALVES for columns in HALVES))
SIZE = len(REGIONS) * LEVELS**3


class ColourHistogram(ImageExtractor):
    """Extracts how frequent colours are in the whole image and in its quarters."""

    size = SIZE

    @staticmethod
    def describe(image: Image.Image) -> np.ndarray:
        return colour_histogram(image)


def colour_histogram(image: Image.Image) -> np.ndarray:
    """A vector (SIZE,) float32 of l2 norm 1: how frequent 64 colours are in an RGB image and in each of its quarters.

    The quarters together weigh as much as the whole.

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


EXTRACTORS: dict[str, type[Extractor]] = {"colour_histogram": ColourHistogram}
