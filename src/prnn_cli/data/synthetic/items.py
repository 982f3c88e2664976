"""Texts and thumbnails of generated items: what can be read and seen of their intents and styles.

- Text mixes words of the item's intent and of its style with stopwords, common words and words of anything
  (other intents too); within each vocabulary the first words are the most frequent. Some items have no
  description. The words of intents and styles are made of syllables, as there may be any number of them.
- A thumbnail's two colours and the direction and width of its stripes come from the intent, its shape from
  the style. Hues, place, size and every pixel vary from item to item.
"""

import colorsys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from prnn_cli.data.synthetic.model import STYLES_PER_INTENT

STOPWORDS = "the and for with a of in to your is this it on or from as by an at that"
COMMON_WORDS = (
    "new classic small large set gift home style made light soft simple modern handy quality everyday pack "
    "colour design size piece season value easy care long short fine bright natural original"
)
CONSONANTS, VOWELS, ENDINGS = "bcdfghjklmnprstvw", "aeiou", "lmnrstxy"
WORDS_PER_INTENT, WORDS_PER_STYLE, WORDS_OF_NONE = 12, 5, 600
TITLE = ("common", "style", "intent", "intent", "any")
DESCRIPTION = {"stop": 0.35, "common": 0.2, "intent": 0.2, "style": 0.1, "any": 0.15}
DESCRIPTION_LENGTHS = (8, 26)
NO_DESCRIPTION = 0.15

THUMBNAIL_SIZE = 32
SHAPES = (
    0.6,
    1.0,
    2.0,
    8.0,
)  # of the styles: exponents p of |x|^p + |y|^p = r^p: star, diamond, disc, square
GRID_Y, GRID_X = np.mgrid[-1 : 1 : THUMBNAIL_SIZE * 1j, -1 : 1 : THUMBNAIL_SIZE * 1j]


def draw_texts(
    rng: np.random.Generator, intent: np.ndarray, style: np.ndarray
) -> dict[str, list[str | None]]:
    """Columns title and description (None for some) of the items with these intents and styles."""
    num_intents, num_styles = intent.max() + 1, style.max() + 1
    of_intents, of_styles = num_intents * WORDS_PER_INTENT, num_styles * WORDS_PER_STYLE
    words = _make_words(rng, of_intents + of_styles + WORDS_OF_NONE)
    intent_words = words[:of_intents].reshape(num_intents, WORDS_PER_INTENT)
    style_words = words[of_intents : of_intents + of_styles].reshape(num_styles, WORDS_PER_STYLE)
    vocabularies = {"stop": STOPWORDS.split(), "common": COMMON_WORDS.split(), "any": rng.permutation(words)}
    columns: dict[str, list[str | None]] = {"title": [], "description": []}
    for item_intent, item_style in zip(intent, style, strict=True):
        own = {"intent": intent_words[item_intent], "style": style_words[item_style], **vocabularies}
        kinds = rng.choice(
            list(DESCRIPTION), rng.integers(*DESCRIPTION_LENGTHS), p=list(DESCRIPTION.values())
        )
        description = _draw_words(rng, own, kinds).capitalize() + "."
        columns["title"].append(_draw_words(rng, own, TITLE).title())
        columns["description"].append(None if rng.random() < NO_DESCRIPTION else description)
    return columns


def draw_thumbnails(
    rng: np.random.Generator, intent: np.ndarray, style: np.ndarray, paths: list[Path]
) -> None:
    """Writes the PNG of each item to its path."""
    looks = Looks.draw(rng, intent.max() + 1)
    for item_intent, item_style, path in zip(intent, style, paths, strict=True):
        looks.thumbnail(rng, item_intent, item_style).save(path)


@dataclass(frozen=True)
class Looks:
    """What the thumbnails of an intent have in common: hues (num_intents, 2), angles and frequencies of stripes."""

    hues: np.ndarray
    angles: np.ndarray
    frequencies: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator, num_intents: int) -> "Looks":
        return cls(
            hues=rng.random((num_intents, 2)),
            angles=rng.uniform(0, np.pi, num_intents),
            frequencies=rng.uniform(4, 14, num_intents),
        )

    def thumbnail(self, rng: np.random.Generator, intent: int, style: int) -> Image.Image:
        stripes = _stripes(self.angles[intent], self.frequencies[intent], rng.uniform(0, 2 * np.pi))
        exponent = SHAPES[style % STYLES_PER_INTENT]
        shape = _shape(exponent, rng.uniform(-0.25, 0.25, 2), rng.uniform(0.4, 0.8))
        ground, figure = (_colour(rng, hue) for hue in self.hues[intent])
        pixels = np.where(shape[..., None], figure, ground * (0.75 + 0.25 * stripes[..., None]))
        pixels = pixels + rng.normal(0, 0.06, pixels.shape)
        return Image.fromarray((pixels.clip(0, 1) * 255).astype(np.uint8))


def _make_words(rng: np.random.Generator, count: int) -> np.ndarray:
    """(count,) different words of five or seven letters."""
    words: dict[str, None] = {}
    while len(words) < count:
        letters = [CONSONANTS, VOWELS] * rng.integers(2, 4) + [ENDINGS]
        words["".join(choices[rng.integers(len(choices))] for choices in letters)] = None
    return np.array(list(words))


def _draw_words(
    rng: np.random.Generator, vocabularies: Mapping[str, Sequence[str] | np.ndarray], kinds: Iterable[str]
) -> str:
    def draw(words: Sequence[str] | np.ndarray) -> str:
        return str(words[int(len(words) * rng.random() ** 2)])  # the square favours the front

    return " ".join(draw(vocabularies[kind]) for kind in kinds)


def _colour(rng: np.random.Generator, hue: float) -> np.ndarray:
    """(3,) red, green and blue in 0…1, of about this hue (0…1)."""
    hue = (hue + rng.normal(0, 0.04)) % 1
    return np.array(colorsys.hsv_to_rgb(hue, rng.uniform(0.4, 0.9), rng.uniform(0.5, 0.95)))


def _stripes(angle: float, frequency: float, phase: float) -> np.ndarray:
    """(THUMBNAIL_SIZE, THUMBNAIL_SIZE) values in -1…1."""
    along = GRID_X * np.cos(angle) + GRID_Y * np.sin(angle)
    waves: np.ndarray = np.sin(frequency * along + phase)
    return waves


def _shape(exponent: float, centre: np.ndarray, radius: float) -> np.ndarray:
    """(THUMBNAIL_SIZE, THUMBNAIL_SIZE) bool, true inside."""
    x, y = np.abs(GRID_X - centre[0]), np.abs(GRID_Y - centre[1])
    inside: np.ndarray = x**exponent + y**exponent < radius**exponent
    return inside
