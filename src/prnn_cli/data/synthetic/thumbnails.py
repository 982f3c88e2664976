"""Thumbnails of generated items: what can be seen of their intents and styles.

The two colours and the direction and width of the stripes come from the intent, the shape from the style. Hues, place,
size and every pixel vary from item to item.
"""

import colorsys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from prnn_cli.data.synthetic.click_model import STYLES_PER_INTENT

THUMBNAIL_SIZE = 32
# of the styles: exponents p of |x|^p + |y|^p = r^p, which make a star, a diamond, a disc and a square
SHAPES = (0.6, 1.0, 2.0, 8.0)
GRID_Y, GRID_X = np.mgrid[-1 : 1 : THUMBNAIL_SIZE * 1j, -1 : 1 : THUMBNAIL_SIZE * 1j]


def draw_thumbnails(
    rng: np.random.Generator, intent: np.ndarray, style: np.ndarray, paths: list[Path]
) -> None:
    """Writes the PNG of each item to its path."""
    looks = Looks.draw(rng, intent.max() + 1)
    for item_intent, item_style, path in zip(intent, style, paths, strict=True):
        looks.thumbnail(rng, item_intent, item_style).save(path)


@dataclass(frozen=True)
class Looks:
    """The looks that thumbnails of an intent have in common.

    hues: (num_intents, 2) in 0…1, of ground and shape
    angles, frequencies: (num_intents,) of the stripes, in radians
    """

    hues: np.ndarray
    angles: np.ndarray
    frequencies: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator, num_intents: int) -> "Looks":
        """Draws the looks of all intents."""
        return cls(
            hues=rng.random((num_intents, 2)),
            angles=rng.uniform(0, np.pi, num_intents),
            frequencies=rng.uniform(4, 14, num_intents),
        )

    def thumbnail(self, rng: np.random.Generator, intent: int, style: int) -> Image.Image:
        """Draws the thumbnail of an item, THUMBNAIL_SIZE pixels wide and high."""
        stripes = _stripes(self.angles[intent], self.frequencies[intent], rng.uniform(0, 2 * np.pi))
        exponent = SHAPES[style % STYLES_PER_INTENT]
        shape = _shape(exponent, rng.uniform(-0.25, 0.25, 2), rng.uniform(0.4, 0.8))
        ground, figure = (_colour(rng, hue) for hue in self.hues[intent])
        pixels = np.where(shape[..., None], figure, ground * (0.75 + 0.25 * stripes[..., None]))
        pixels = pixels + rng.normal(0, 0.06, pixels.shape)
        return Image.fromarray((pixels.clip(0, 1) * 255).astype(np.uint8))


def _colour(rng: np.random.Generator, hue: float) -> np.ndarray:
    """Red, green and blue, (3,) in 0…1, of about this hue (0…1)."""
    hue = (hue + rng.normal(0, 0.04)) % 1
    return np.array(colorsys.hsv_to_rgb(hue, rng.uniform(0.4, 0.9), rng.uniform(0.5, 0.95)))


def _stripes(angle: float, frequency: float, phase: float) -> np.ndarray:
    """Waves over the grid, (THUMBNAIL_SIZE, THUMBNAIL_SIZE) in -1…1."""
    along = GRID_X * np.cos(angle) + GRID_Y * np.sin(angle)
    waves: np.ndarray = np.sin(frequency * along + phase)
    return waves


def _shape(exponent: float, centre: np.ndarray, radius: float) -> np.ndarray:
    """The mask of a shape, (THUMBNAIL_SIZE, THUMBNAIL_SIZE) bool, true inside."""
    x, y = np.abs(GRID_X - centre[0]), np.abs(GRID_Y - centre[1])
    inside: np.ndarray = x**exponent + y**exponent < radius**exponent
    return inside
