"""Image vectors of generated items too many for image files: what GoogLeNet's last pooling would look like.

Values are those of a rectifier, so at least 0, many of them 0. An intent has a direction, each of its styles leans to
one of a few further ones, as thumbnails share a shape, and the items scatter around them.
"""

from dataclasses import dataclass

import numpy as np

from prnn_cli.data.synthetic.click_model import STYLES_PER_INTENT

NUM_FEATURES = 1024
STYLE, SCATTER = 0.7, 1.2  # standard deviations beside the intent's of 1


@dataclass(frozen=True)
class VectorModel:
    """The directions of the intents (num_intents, F) and of the shapes (STYLES_PER_INTENT, F)."""

    intents: np.ndarray
    shapes: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator, num_intents: int) -> "VectorModel":
        """Draws the directions."""
        shapes = STYLE * rng.standard_normal((STYLES_PER_INTENT, NUM_FEATURES), dtype=np.float32)
        return cls(rng.standard_normal((num_intents, NUM_FEATURES), dtype=np.float32), shapes)

    def vectors(self, rng: np.random.Generator, intent: np.ndarray, style: np.ndarray) -> np.ndarray:
        """Draws the vectors of items, (num_items, F) float16 of l2 norm 1."""
        values = rng.standard_normal((len(intent), NUM_FEATURES), dtype=np.float32)
        values *= SCATTER
        values += self.intents[intent]
        values += self.shapes[style % STYLES_PER_INTENT]
        np.maximum(values, 0, out=values)
        values /= np.linalg.norm(values, axis=1, keepdims=True)
        return values.astype(np.float16)
