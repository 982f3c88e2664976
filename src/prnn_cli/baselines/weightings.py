"""How much less a click counts the longer ago it is: the weightings of session-rec's methods, by name."""

from collections.abc import Callable

import numpy as np


def ones(places: np.ndarray, *others: np.ndarray) -> np.ndarray:
    """The weight 1 at each place."""
    return np.ones(len(places))


# (position from 1, length) -> weight of a click of the session so far.
CLICK_WEIGHTS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "same": ones,
    "div": lambda position, length: position / length,
    "linear": lambda position, length: np.maximum(1 - 0.1 * (length - position), 0),
    "log": lambda position, length: 1 / np.log10(length - position + 1.7),
    "quadratic": lambda position, length: (position / length) ** 2,
}
# Steps between two clicks, from 1 -> weight.
STEP_WEIGHTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "same": ones,
    "div": lambda steps: 1 / steps,
    "linear": lambda steps: np.maximum(1 - 0.1 * steps, 0),
    "log": lambda steps: 1 / np.log10(steps + 1.7),
    "quadratic": lambda steps: 1 / steps**2,
}
