"""The latent model of all generated logs: what the items are like, and how sessions click through them.

Chosen for its likeness to the logs of shops and video sites, not for any network:

- Item popularity follows a Zipf-Mandelbrot law. Each item has one intent (what it is for) and, within it, one
  style; popularity is independent of both, so that rare items behave like the frequent ones of their kind.
- A session starts at an item drawn by popularity and takes on its intent and style. Before each later click
  it drifts with a small probability to those of another item drawn in the same way.
- The next click is, by chance, one of the last item's few own successors (known from ids alone), an item of
  the session's style or intent by popularity (told by text and image), an earlier item of the session, or
  an item from anywhere by popularity, after which the session goes on as before. No item follows itself.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

STYLES_PER_INTENT = 4
NUM_SUCCESSORS = 6
LEVELS = {"style": 1, "intent": STYLES_PER_INTENT, "anywhere": sys.maxsize}  # styles that count as one group
SUCCESSOR_SHARES = {"style": 0.45, "intent": 0.35, "anywhere": 0.2}
DRIFT = 0.04

DAY_S = 86_400
END = int(np.datetime64("2016-09-19", "s").astype(np.int64))  # the midnight after the last day
HOURS = 1 + 0.8 * np.cos((np.arange(24) - 19) / 24 * 2 * np.pi)  # busiest at 19 h, quietest at 7 h
HOURS /= HOURS.sum()
MEDIAN_GAP_S, MAX_GAP_S = 40, 1_500


@dataclass(frozen=True)
class GeneratedItems:
    """The items: what they are like and who follows whom. They are in no order of popularity or intent.

    popularity: (num_items,) weights
    style: (num_items,), numbered through the catalogue: style s belongs to intent s // STYLES_PER_INTENT
    successors: (num_items, NUM_SUCCESSORS), the likeliest first
    """

    popularity: np.ndarray
    style: np.ndarray
    successors: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator, popularity: np.ndarray, num_intents: int) -> "GeneratedItems":
        """Draws intents (each has an item at least), styles and successors of items with these popularities."""
        num_items = len(popularity)
        sizes = rng.dirichlet(np.full(num_intents, 5.0))
        intent = np.append(np.arange(num_intents), rng.choice(num_intents, num_items - num_intents, p=sizes))
        style = rng.permutation(intent) * STYLES_PER_INTENT + rng.integers(STYLES_PER_INTENT, size=num_items)
        return cls(popularity, style, _draw_successors(rng, popularity, style))

    @property
    def num_items(self) -> int:
        return len(self.style)

    @property
    def intent(self) -> np.ndarray:
        intent: np.ndarray = self.style // STYLES_PER_INTENT
        return intent


class WeightedDraw:
    """Draws items of a style (or of `span` styles next to each other) in proportion to their weights."""

    def __init__(self, style: np.ndarray, weights: np.ndarray, span: int) -> None:
        group = style // span
        self._span = span
        self._items = np.argsort(group, kind="stable")
        self._cumulative = np.append(0.0, np.cumsum(weights[self._items]))
        self._bounds = np.searchsorted(group[self._items], np.arange(group.max() + 2))

    def __call__(self, rng: np.random.Generator, style: np.ndarray) -> np.ndarray:
        """Draws an item for each style given; the group of each of them must hold an item."""
        first, end = self._bounds[style // self._span], self._bounds[style // self._span + 1]
        low, high = self._cumulative[first], self._cumulative[end]
        at = np.searchsorted(self._cumulative, low + rng.random(len(style)) * (high - low), side="right") - 1
        items: np.ndarray = self._items[np.clip(at, first, end - 1)]
        return items


class ClickModel:
    """Draws the clicks of sessions.

    shares: of the clicks by kind (style, intent, anywhere, repeat, successor), 1 in all
    """

    def __init__(self, catalogue: GeneratedItems, shares: Mapping[str, float]) -> None:
        self._catalogue, self._shares = catalogue, shares
        self._draws = _draws(catalogue.style, catalogue.popularity)

    def draw(self, rng: np.random.Generator, lengths: np.ndarray) -> np.ndarray:
        """Draws the clicked items of sessions with these lengths, (num_events,), session after session."""
        catalogue, draws = self._catalogue, self._draws
        draw_anywhere = draws["anywhere"]
        first = first_events(lengths)
        items = np.empty(lengths.sum(), dtype=np.int64)
        items[first] = draw_anywhere(rng, np.zeros_like(first))
        taste = catalogue.style[items[first]]
        for position in range(1, lengths.max()):  # one click of all sessions that last so long
            going = np.flatnonzero(lengths > position)
            drifting = going[rng.random(len(going)) < DRIFT]
            taste[drifting] = catalogue.style[draw_anywhere(rng, taste[drifting])]
            last = items[first[going] + position - 1]
            clicks = {name: draw(rng, taste[going]) for name, draw in draws.items()}
            clicks["repeat"] = items[first[going] + rng.integers(position, size=len(going))]
            clicks["successor"] = catalogue.successors[last, _likely_first(rng, len(going))]
            kind = rng.choice(len(clicks), size=len(going), p=[self._shares[name] for name in clicks])
            click = np.choose(kind, list(clicks.values()))
            items[first[going] + position] = np.where(click == last, clicks["successor"], click)
        return items


def elapsed_s(rng: np.random.Generator, lengths: np.ndarray) -> np.ndarray:
    """Draws the seconds since the session's first click, (num_events,), rising by at least one from click to click."""
    first = first_events(lengths)
    gaps = rng.lognormal(np.log(MEDIAN_GAP_S), 1.0, lengths.sum())
    gaps = 1 + np.minimum(gaps, MAX_GAP_S).astype(np.int64)
    gaps[first] = 0
    passed = np.cumsum(gaps)
    elapsed: np.ndarray = passed - np.repeat(passed[first], lengths)
    return elapsed


def first_events(lengths: np.ndarray) -> np.ndarray:
    """The place of each session's first event among the events of all, (num_sessions,)."""
    first: np.ndarray = np.cumsum(lengths) - lengths
    return first


def _draw_successors(rng: np.random.Generator, popularity: np.ndarray, style: np.ndarray) -> np.ndarray:
    # by popularity itself the lists of a style would all name its top items: the root keeps them apart
    draws = _draws(style, np.sqrt(popularity))
    item = np.repeat(np.arange(len(style)), NUM_SUCCESSORS)
    level = rng.choice(len(draws), size=len(item), p=[SUCCESSOR_SHARES[name] for name in draws])
    successor = np.choose(level, [draw(rng, style[item]) for draw in draws.values()])
    another = (item + rng.integers(1, len(style), size=len(item))) % len(style)
    return np.where(successor == item, another, successor).reshape(-1, NUM_SUCCESSORS)


def _draws(style: np.ndarray, weights: np.ndarray) -> dict[str, WeightedDraw]:
    return {name: WeightedDraw(style, weights, span) for name, span in LEVELS.items()}


def _likely_first(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draws positions in a list of successors, each half as likely again as the next."""
    weights = 1.5 ** -np.arange(NUM_SUCCESSORS)
    positions: np.ndarray = rng.choice(NUM_SUCCESSORS, size, p=weights / weights.sum())
    return positions
