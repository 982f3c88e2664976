"""The latent model of all generated logs: what the items are like, and how sessions click through them.

Chosen for its likeness to the logs of shops and video sites, not for any network:

- Item popularity follows a Zipf-Mandelbrot law. Each item has one intent (what it is for) and, within it, one
  style; popularity is independent of both, so that rare items behave like the frequent ones of their kind.
- Beside each item stands a list of successors, as a site recommends them: some of its places are the item's own
  (known from ids alone), the others those of all items of its style (told by text and image as well).
- A session starts at an item drawn by popularity and takes on its intent and style. Before each later click it
  drifts with a small probability to those of another item drawn in the same way, or goes onward to one of the
  few styles that follow its own.
- The next click is, by chance, one of the last item's successors, an item of the session's style or intent by
  popularity, an earlier item of the session, or an item from anywhere by popularity. The latter is a detour: where
  sessions return, they go on from the item before it, which the last click alone does not tell. No item follows itself.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from prnn_cli.schema import BrowsingConfig, SuccessorsConfig

STYLES_PER_INTENT = 4
LEVELS = {"style": 1, "intent": STYLES_PER_INTENT, "anywhere": sys.maxsize}  # styles that count as one group
SUCCESSOR_SHARES = {"style": 0.45, "intent": 0.35, "anywhere": 0.2}
FOLLOWING_WEIGHTS = np.array([8, 4, 2, 1]) / 15  # of the styles that follow a style, the likeliest first

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
    successors: (num_items, length of the lists), the likeliest first; each place is as likely as the next one times
        `steepness`
    following: (num_styles, 4) the styles that sessions go onward to, the likeliest first; each holds an item
    """

    popularity: np.ndarray
    style: np.ndarray
    successors: np.ndarray
    steepness: float
    following: np.ndarray

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        popularity: np.ndarray,
        num_intents: int,
        successors: SuccessorsConfig,
    ) -> "GeneratedItems":
        """Draws intents (each has an item at least), styles and successors of items with these popularities."""
        num_items = len(popularity)
        sizes = rng.dirichlet(np.full(num_intents, 5.0))
        intent = np.append(np.arange(num_intents), rng.choice(num_intents, num_items - num_intents, p=sizes))
        style = rng.permutation(intent) * STYLES_PER_INTENT + rng.integers(STYLES_PER_INTENT, size=num_items)
        lists = _draw_successors(rng, popularity, style, successors)
        examples = rng.integers(num_items, size=(num_intents * STYLES_PER_INTENT, len(FOLLOWING_WEIGHTS)))
        return cls(popularity, style, lists, successors.steepness, following=style[examples])

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

    def __init__(
        self, catalogue: GeneratedItems, shares: Mapping[str, float], browsing: BrowsingConfig
    ) -> None:
        self._catalogue, self._shares, self._browsing = catalogue, shares, browsing
        self._draws = _draws(catalogue.style, catalogue.popularity)
        weights = catalogue.steepness ** -np.arange(catalogue.successors.shape[1], dtype=float)
        self._places = weights / weights.sum()

    def draw(self, rng: np.random.Generator, lengths: np.ndarray) -> np.ndarray:
        """Draws the clicked items of sessions with these lengths, (num_events,), session after session."""
        catalogue, draws = self._catalogue, self._draws
        first = first_events(lengths)
        items = np.empty(lengths.sum(), dtype=np.int64)
        items[first] = draws["anywhere"](rng, np.zeros_like(first))
        taste = catalogue.style[items[first]]
        anchor = items[first]  # of each session, the item that it goes on from
        for position in range(1, lengths.max()):  # one click of all sessions that last so long
            going = np.flatnonzero(lengths > position)
            self._move(rng, taste, going)
            last = items[first[going] + position - 1]
            clicks = {name: draw(rng, taste[going]) for name, draw in draws.items()}
            clicks["repeat"] = items[first[going] + rng.integers(position, size=len(going))]
            place = rng.choice(len(self._places), size=len(going), p=self._places)
            clicks["successor"] = catalogue.successors[anchor[going], place]
            kind = rng.choice(len(clicks), size=len(going), p=[self._shares[name] for name in clicks])
            click = np.choose(kind, list(clicks.values()))
            click = np.where(click == last, catalogue.successors[last, place], click)
            items[first[going] + position] = click
            detour = self._browsing.returns & (kind == list(clicks).index("anywhere"))
            anchor[going] = np.where(detour, anchor[going], click)
        return items

    def _move(self, rng: np.random.Generator, taste: np.ndarray, going: np.ndarray) -> None:
        """Changes the tastes (styles) of some of the sessions `going`: adrift to any item's, or onward."""
        adrift = going[rng.random(len(going)) < self._browsing.drift]
        taste[adrift] = self._catalogue.style[self._draws["anywhere"](rng, taste[adrift])]
        if self._browsing.onward > 0:
            onward = going[rng.random(len(going)) < self._browsing.onward]
            which = rng.choice(len(FOLLOWING_WEIGHTS), size=len(onward), p=FOLLOWING_WEIGHTS)
            taste[onward] = self._catalogue.following[taste[onward], which]


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


def _draw_successors(
    rng: np.random.Generator, popularity: np.ndarray, style: np.ndarray, config: SuccessorsConfig
) -> np.ndarray:
    """Draws the list of each item, (num_items, config.length); no item is in its own."""
    # by popularity itself the lists of a style would all name its top items: a root keeps them apart
    draws = _draws(style, popularity**config.popularity_exponent)
    own = _draw_lists(rng, draws, style, config.length)
    lists = own
    if config.of_style > 0:
        styles, member = np.unique(style, return_inverse=True)
        of_styles = _draw_lists(rng, draws, styles, config.length)[member]
        lists = np.where(rng.random(own.shape) < config.of_style, of_styles, own)
    item = np.arange(len(style))[:, None]
    another = (item + rng.integers(1, len(style), size=own.size).reshape(own.shape)) % len(style)
    return np.where(lists == item, another, lists)


def _draw_lists(
    rng: np.random.Generator, draws: Mapping[str, WeightedDraw], style: np.ndarray, length: int
) -> np.ndarray:
    """Draws a list for each style given, (len(style), length), mostly of its own style and intent."""
    of = np.repeat(style, length)
    level = rng.choice(len(draws), size=len(of), p=[SUCCESSOR_SHARES[name] for name in draws])
    return np.choose(level, [draw(rng, of) for draw in draws.values()]).reshape(-1, length)


def _draws(style: np.ndarray, weights: np.ndarray) -> dict[str, WeightedDraw]:
    return {name: WeightedDraw(style, weights, span) for name, span in LEVELS.items()}
