"""Which items are alike: the cosine of their vectors, and the picture of the paper's Figure 2."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps
from scipy.sparse import csr_array

from prnn_cli.features.images import read_image
from prnn_cli.features.table import FeatureTable
from prnn_cli.system.files import atomic_write

TILE, MARGIN, CAPTION = 200, 20, 46  # pixels
FONT = ImageFont.load_default(size=15)


def nearest(table: FeatureTable, item: int, count: int) -> list[tuple[int, float]]:
    """The (item_index, cosine) of the `count` covered items most alike to a covered one, best first, without itself."""
    similarity = cosines(table.vectors, item)
    candidates = np.flatnonzero(table.covered & (np.arange(table.num_items) != item))
    best = candidates[np.argsort(-similarity[candidates], kind="stable")][:count]
    return [(int(each), float(similarity[each])) for each in best]


def cosines(vectors: np.ndarray | csr_array, item: int) -> np.ndarray:
    """The cosine of every row with row `item`, (num_items,); 0 where either row is zero."""
    if isinstance(vectors, csr_array):
        products = (vectors @ vectors[[item]].T).toarray().ravel()
        norms = np.sqrt(vectors.multiply(vectors).sum(axis=1))
    else:
        vectors = vectors.astype(np.float32, copy=False)  # sums in half precision would be rough
        products, norms = vectors @ vectors[item], np.linalg.norm(vectors, axis=1)
    scale = norms * norms[item]
    cosine: np.ndarray = np.divide(products, scale, out=np.zeros(len(scale)), where=scale > 0)
    return cosine


@dataclass(frozen=True)
class Tile:
    """An image and two lines below it; the image is grey where there is no file that can be read."""

    file: Path | None
    lines: tuple[str, str]


def draw_tiles(rows: Sequence[Sequence[Tile]], path: Path) -> None:
    """Writes a PNG with a row of images for each query, which stands first in it."""
    columns = max(len(row) for row in rows)
    width, height = TILE + MARGIN, TILE + CAPTION + MARGIN
    canvas = Image.new("RGB", (MARGIN + columns * width, MARGIN + len(rows) * height), "white")
    pen = ImageDraw.Draw(canvas)
    for number, row in enumerate(rows):
        top = MARGIN + number * height
        for column, tile in enumerate(row):
            left = MARGIN + column * width
            canvas.paste(_fitted(tile.file), (left, top))
            for line, text in enumerate(tile.lines):
                place = (left + TILE / 2, top + TILE + 6 + 19 * line)
                pen.text(place, _cut(text), fill="black", font=FONT, anchor="ma")
        pen.rectangle((MARGIN - 3, top - 3, MARGIN + TILE + 2, top + TILE + 2), outline="black", width=2)
    with atomic_write(path) as temporary:
        canvas.save(temporary, format="PNG")


def _fitted(file: Path | None) -> Image.Image:
    """The image as large as the tile allows, or a grey tile where it cannot be read."""
    try:
        if file is None:
            raise FileNotFoundError
        image = ImageOps.contain(read_image(file), (TILE, TILE))
    except Exception:  # damaged files make Pillow raise errors of many kinds
        return Image.new("RGB", (TILE, TILE), "lightgrey")
    return ImageOps.pad(image, (TILE, TILE), color="white")


def _cut(text: str) -> str:
    if FONT.getlength(text) <= TILE:
        return text
    while text and FONT.getlength(f"{text}…") > TILE:
        text = text[:-1]
    return f"{text}…"
