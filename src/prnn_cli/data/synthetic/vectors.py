"""Image vectors of generated items: what a network such as GoogLeNet would make of their images.

Values are those of a rectifier: at least 0, many of them 0. An intent has a direction, each of its styles a further
one, and the items scatter around their sum. An item without image has a vector of zeros.
"""

from dataclasses import dataclass

import numpy as np

from prnn_cli.data.synthetic.click_model import STYLES_PER_INTENT
from prnn_cli.schema import GeneratedVectorsConfig


@dataclass(frozen=True)
class VectorModel:
    """The directions of the intents (num_intents, F) and what their styles add (num_styles, F)."""

    config: GeneratedVectorsConfig
    intents: np.ndarray
    styles: np.ndarray

    @classmethod
    def draw(
        cls, rng: np.random.Generator, num_intents: int, config: GeneratedVectorsConfig
    ) -> "VectorModel":
        """Draws the directions."""
        intents = rng.standard_normal((num_intents, config.size), dtype=np.float32)
        styles = rng.standard_normal((num_intents * STYLES_PER_INTENT, config.size), dtype=np.float32)
        return cls(config, intents, styles * np.float32(config.of_style))

    def vectors(
        self, rng: np.random.Generator, intent: np.ndarray, style: np.ndarray, has_image: np.ndarray
    ) -> np.ndarray:
        """Draws the vectors of items, (num_items, F) float16 of l2 norm 1, or 0."""
        values = rng.standard_normal((len(intent), self.config.size), dtype=np.float32)
        values *= self.config.scatter
        values += self.intents[intent]
        values += self.styles[style]
        values -= self.config.threshold
        np.maximum(values, 0, out=values)
        norms = np.linalg.norm(values, axis=1, keepdims=True)
        values *= has_image[:, None] / np.maximum(norms, np.finfo(np.float32).tiny)
        return values.astype(np.float16)
