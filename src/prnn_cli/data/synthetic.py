"""A generated click log whose items have titles, descriptions and thumbnails: for runs without any download.

The model, chosen for its likeness to the logs of shops and not for any network:

- Item popularity follows a Zipf-Mandelbrot law. Each item has one intent (what it is for) and, within it, one
  style; popularity is independent of both, so that rare items behave like the frequent ones of their kind.
- A session starts at an item drawn by popularity and takes on its intent and style. Before each later click
  it drifts with a small probability to those of another item drawn in the same way.
- The next click is, by chance, one of the last item's few own successors (known from ids alone), an item of
  the session's style or intent by popularity (told by text and thumbnail), an earlier item of the session, or
  an item from anywhere by popularity, after which the session goes on as before. No item follows itself.
- Sessions have at least two clicks and a long tail. They start by the hour of the day, none passes the last
  midnight, and nothing else changes with time.

What text and thumbnails tell is in `synthetic_items`.
"""

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from prnn_cli.data.synthetic_items import NUM_SHAPES, draw_texts, draw_thumbnails
from prnn_cli.errors import UserError
from prnn_cli.files import atomic_folder, hash_of
from prnn_cli.schema import SyntheticConfig

GENERATOR_VERSION = 1  # part of the folder's name: raise it with every change of what is generated

ZIPF_EXPONENT, ZIPF_SHIFT = 1.25, 0.02  # weight of rank r: (r + shift * num_items) ** -exponent
STYLES_PER_INTENT = NUM_SHAPES
NUM_SUCCESSORS = 6
LEVELS = {"style": 1, "intent": STYLES_PER_INTENT, "anywhere": sys.maxsize}  # styles that count as one group
SUCCESSOR_SHARES = {"style": 0.45, "intent": 0.35, "anywhere": 0.2}
CLICK_SHARES = {"successor": 0.28, "repeat": 0.08, "style": 0.14, "intent": 0.25, "anywhere": 0.25}
DRIFT = 0.04

DAY_S = 86_400
END = int(np.datetime64("2016-09-19", "s").astype(np.int64))  # the midnight after the last day
MAX_SESSION_LENGTH = 100
MAX_GAP_S = 1_500


@dataclass(frozen=True)
class Catalogue:
    """What the items are like and who follows whom; ids are in no order of popularity or intent.

    style: (num_items,), numbered through the catalogue: style s belongs to intent s // STYLES_PER_INTENT
    successors: (num_items, NUM_SUCCESSORS), the likeliest first
    """

    item_ids: list[str]
    popularity: np.ndarray
    style: np.ndarray
    successors: np.ndarray


class WeightedDraw:
    """Draws items of a style (or of `span` styles next to each other) in proportion to their weights."""

    def __init__(self, style: np.ndarray, weights: np.ndarray, span: int) -> None:
        group = style // span
        self._span = span
        self._items = np.argsort(group, kind="stable")
        self._cumulative = np.append(0.0, np.cumsum(weights[self._items]))
        self._bounds = np.searchsorted(group[self._items], np.arange(group.max() + 2))

    def __call__(self, rng: np.random.Generator, style: np.ndarray) -> np.ndarray:
        """One item for each style given; the group of each of them must hold an item."""
        first, end = self._bounds[style // self._span], self._bounds[style // self._span + 1]
        low, high = self._cumulative[first], self._cumulative[end]
        at = np.searchsorted(self._cumulative, low + rng.random(len(style)) * (high - low), side="right") - 1
        items: np.ndarray = self._items[np.clip(at, first, end - 1)]
        return items


def generate(config: SyntheticConfig, scale: float, cache_dir: Path) -> Path:
    """Folder of the generated log, made unless it is there already; the same arguments give the same bytes.

    `scale` multiplies the sessions and leaves the items as they are. The folder holds
    events.parquet: session_id, item_id, time (seconds, UTC), in the order of time
    items.parquet: item_id, title, description (null for some), image (path within the folder)
    images/: one PNG an item

    Raises `UserError` if there are more intents than items, or if no session is left at this scale.
    """
    num_sessions = _num_sessions(config, scale)
    identity = {"version": GENERATOR_VERSION, "scale": float(scale), **dataclasses.asdict(config)}
    folder = cache_dir / "synthetic" / hash_of(identity)
    if folder.is_dir():
        return folder
    rng_items, rng_texts, rng_images, rng_sessions = np.random.default_rng(config.seed).spawn(4)
    catalogue = draw_catalogue(rng_items, config.num_items, config.num_intents)
    intent = catalogue.style // STYLES_PER_INTENT
    images = [f"images/{item_id}.png" for item_id in catalogue.item_ids]
    texts = draw_texts(rng_texts, intent, catalogue.style)
    with atomic_folder(folder) as temporary:
        (temporary / "images").mkdir()
        draw_thumbnails(rng_images, intent, catalogue.style, [temporary / image for image in images])
        items = pa.table({"item_id": catalogue.item_ids, **texts, "image": images})
        pq.write_table(items, temporary / "items.parquet")
        events = draw_events(rng_sessions, catalogue, num_sessions, config.num_days)
        pq.write_table(events, temporary / "events.parquet")
    return folder


def draw_catalogue(rng: np.random.Generator, num_items: int, num_intents: int) -> Catalogue:
    rank = rng.permutation(num_items) + 1
    popularity = (rank + ZIPF_SHIFT * num_items) ** -ZIPF_EXPONENT
    sizes = rng.dirichlet(np.full(num_intents, 5.0))
    intent = np.append(np.arange(num_intents), rng.choice(num_intents, num_items - num_intents, p=sizes))
    style = rng.permutation(intent) * STYLES_PER_INTENT + rng.integers(STYLES_PER_INTENT, size=num_items)
    width = len(str(num_items - 1))
    item_ids = [f"item-{number:0{width}d}" for number in range(num_items)]
    return Catalogue(item_ids, popularity, style, _draw_successors(rng, popularity, style))


def draw_events(rng: np.random.Generator, catalogue: Catalogue, num_sessions: int, num_days: int) -> pa.Table:
    """Columns session_id (numbered by first event), item_id, time; ordered by time."""
    lengths = np.minimum(2 + rng.lognormal(0.5, 1.1, num_sessions).astype(int), MAX_SESSION_LENGTH)
    items = _draw_clicks(rng, catalogue, lengths)
    times = _draw_times(rng, lengths, num_days)
    by_start = np.argsort(times[_first_events(lengths)], kind="stable")
    session_id = np.empty(num_sessions, dtype=np.int64)
    session_id[by_start] = np.arange(1, num_sessions + 1)
    by_time = np.argsort(times, kind="stable")
    return pa.table(
        {
            "session_id": np.repeat(session_id, lengths)[by_time],
            "item_id": pa.array(catalogue.item_ids).take(pa.array(items[by_time])),
            "time": times[by_time],
        }
    )


def _num_sessions(config: SyntheticConfig, scale: float) -> int:
    if config.num_intents > config.num_items:
        raise UserError(
            f"dataset.synthetic.num_intents={config.num_intents} is too large; "
            f"it must be at most dataset.synthetic.num_items={config.num_items}"
        )
    num_sessions = round(config.num_sessions * scale)
    if num_sessions < 1:
        raise UserError(
            f"dataset.scale={scale:g} is too small; it leaves none of the "
            f"dataset.synthetic.num_sessions={config.num_sessions} sessions"
        )
    return num_sessions


def _draw_successors(rng: np.random.Generator, popularity: np.ndarray, style: np.ndarray) -> np.ndarray:
    # by popularity itself the lists of a style would all name its top items: the root keeps them apart
    draws = _draws(style, np.sqrt(popularity))
    item = np.repeat(np.arange(len(style)), NUM_SUCCESSORS)
    level = rng.choice(len(draws), size=len(item), p=[SUCCESSOR_SHARES[name] for name in draws])
    successor = np.choose(level, [draw(rng, style[item]) for draw in draws.values()])
    another = (item + rng.integers(1, len(style), size=len(item))) % len(style)
    return np.where(successor == item, another, successor).reshape(-1, NUM_SUCCESSORS)


def _draw_clicks(rng: np.random.Generator, catalogue: Catalogue, lengths: np.ndarray) -> np.ndarray:
    """(num_events,) items, session after session; one turn of the loop is one click of all sessions."""
    first = _first_events(lengths)
    draws = _draws(catalogue.style, catalogue.popularity)
    draw_anywhere = draws["anywhere"]
    items = np.empty(lengths.sum(), dtype=np.int64)
    items[first] = draw_anywhere(rng, np.zeros_like(first))
    taste = catalogue.style[items[first]]
    for position in range(1, lengths.max()):
        going = np.flatnonzero(lengths > position)
        drifting = going[rng.random(len(going)) < DRIFT]
        taste[drifting] = catalogue.style[draw_anywhere(rng, taste[drifting])]
        last = items[first[going] + position - 1]
        clicks = {name: draw(rng, taste[going]) for name, draw in draws.items()}
        clicks["repeat"] = items[first[going] + rng.integers(position, size=len(going))]
        clicks["successor"] = catalogue.successors[last, _likely_first(rng, len(going))]
        kind = rng.choice(len(clicks), size=len(going), p=[CLICK_SHARES[name] for name in clicks])
        click = np.choose(kind, list(clicks.values()))
        items[first[going] + position] = np.where(click == last, clicks["successor"], click)
    return items


def _draw_times(rng: np.random.Generator, lengths: np.ndarray, num_days: int) -> np.ndarray:
    """(num_events,) seconds, rising by at least one from click to click of a session."""
    first = _first_events(lengths)
    gaps = 1 + np.minimum(rng.lognormal(np.log(40), 1.0, lengths.sum()), MAX_GAP_S).astype(np.int64)
    gaps[first] = 0
    passed = np.cumsum(gaps)
    elapsed = passed - np.repeat(passed[first], lengths)
    hours = 1 + 0.8 * np.cos((np.arange(24) - 19) / 24 * 2 * np.pi)  # busiest at 19 h, quietest at 7 h
    start = END - DAY_S * rng.integers(1, num_days + 1, len(lengths))
    start += 3_600 * rng.choice(24, len(lengths), p=hours / hours.sum())
    start += rng.integers(3_600, size=len(lengths))
    # an event after the last midnight would make a day of its own, and that day the test part
    start = np.minimum(start, END - 1 - elapsed[first + lengths - 1])
    times: np.ndarray = np.repeat(start, lengths) + elapsed
    return times


def _draws(style: np.ndarray, weights: np.ndarray) -> dict[str, WeightedDraw]:
    return {name: WeightedDraw(style, weights, span) for name, span in LEVELS.items()}


def _likely_first(rng: np.random.Generator, size: int) -> np.ndarray:
    """Positions in a list of successors, each half as likely again as the next."""
    weights = 1.5 ** -np.arange(NUM_SUCCESSORS)
    positions: np.ndarray = rng.choice(NUM_SUCCESSORS, size, p=weights / weights.sum())
    return positions


def _first_events(lengths: np.ndarray) -> np.ndarray:
    first: np.ndarray = np.cumsum(lengths) - lengths
    return first
