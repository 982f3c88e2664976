"""A small generated click log whose items have titles, descriptions and thumbnails: for runs without any download.

`click_model.py` says how its sessions click, `small_texts.py` and `thumbnails.py` what is known of its items. Sessions
have at least two clicks and a long tail. They start by the hour of the day, none passes the last midnight, and nothing
else changes with time.
"""

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from prnn_cli.data.synthetic.click_model import (
    DAY_S,
    END,
    HOURS,
    ClickModel,
    GeneratedItems,
    elapsed_s,
    first_events,
)
from prnn_cli.data.synthetic.small_texts import draw_texts
from prnn_cli.data.synthetic.thumbnails import draw_thumbnails
from prnn_cli.errors import UserError
from prnn_cli.schema import BrowsingConfig, SuccessorsConfig, SyntheticConfig
from prnn_cli.system.cache import Identity, cached_folder

GENERATOR_VERSION = 1  # part of the folder's name: raise it with every change of what is generated

ZIPF_EXPONENT, ZIPF_SHIFT = 1.25, 0.02  # weight of rank r: (r + shift * num_items) ** -exponent
CLICK_SHARES = {"successor": 0.28, "repeat": 0.08, "style": 0.14, "intent": 0.25, "anywhere": 0.25}
SUCCESSORS = SuccessorsConfig(length=6, steepness=1.5, of_style=0, popularity_exponent=0.5)
BROWSING = BrowsingConfig(drift=0.04, onward=0, returns=False)

MAX_SESSION_LENGTH = 100


def generate(config: SyntheticConfig, scale: float, cache_dir: Path) -> Path:
    """Folder of the generated log, made unless it is there already; the same arguments give the same bytes.

    `scale` multiplies the sessions and leaves the items as they are. The folder holds
    events.parquet: session_id, item_id, time (seconds, UTC), in the order of time
    items.parquet: item_id, title, description (null for some), image (path within the folder)
    images/: one PNG an item

    Raises `UserError` if there are more intents than items, or if no session is left at this scale.
    """
    num_sessions = _num_sessions(config, scale)
    identity = Identity.of(GENERATOR_VERSION, {"scale": float(scale), **dataclasses.asdict(config)})
    return cached_folder(
        cache_dir / "synthetic", identity, lambda folder: _write_log(config, num_sessions, folder)
    )


def _write_log(config: SyntheticConfig, num_sessions: int, folder: Path) -> None:
    rng_items, rng_texts, rng_images, rng_sessions = np.random.default_rng(config.seed).spawn(4)
    catalogue = draw_catalogue(rng_items, config.num_items, config.num_intents)
    item_ids = names(config.num_items)
    images = [f"images/{item_id}.png" for item_id in item_ids]
    texts = draw_texts(rng_texts, catalogue.intent, catalogue.style)
    (folder / "images").mkdir()
    draw_thumbnails(rng_images, catalogue.intent, catalogue.style, [folder / image for image in images])
    items = pa.table({"item_id": item_ids, **texts, "image": images})
    pq.write_table(items, folder / "items.parquet")
    events = draw_events(rng_sessions, catalogue, num_sessions, config.num_days)
    pq.write_table(events, folder / "events.parquet")


def draw_catalogue(rng: np.random.Generator, num_items: int, num_intents: int) -> GeneratedItems:
    """Draws the items, whose popularity follows a Zipf-Mandelbrot law."""
    rank = rng.permutation(num_items) + 1
    popularity = (rank + ZIPF_SHIFT * num_items) ** -ZIPF_EXPONENT
    return GeneratedItems.draw(rng, popularity, num_intents, SUCCESSORS)


def names(num_items: int) -> list[str]:
    """The item ids, all equally long, so that their order as text is that of their numbers."""
    width = len(str(num_items - 1))
    return [f"item-{number:0{width}d}" for number in range(num_items)]


def draw_events(
    rng: np.random.Generator, catalogue: GeneratedItems, num_sessions: int, num_days: int
) -> pa.Table:
    """Draws the columns session_id (numbered by first event), item_id and time, in the order of time."""
    lengths = np.minimum(2 + rng.lognormal(0.5, 1.1, num_sessions).astype(int), MAX_SESSION_LENGTH)
    items = ClickModel(catalogue, CLICK_SHARES, BROWSING).draw(rng, lengths)
    times = _draw_times(rng, lengths, num_days)
    by_start = np.argsort(times[first_events(lengths)], kind="stable")
    session_id = np.empty(num_sessions, dtype=np.int64)
    session_id[by_start] = np.arange(1, num_sessions + 1)
    by_time = np.argsort(times, kind="stable")
    return pa.table(
        {
            "session_id": np.repeat(session_id, lengths)[by_time],
            "item_id": pa.array(names(catalogue.num_items)).take(pa.array(items[by_time])),
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


def _draw_times(rng: np.random.Generator, lengths: np.ndarray, num_days: int) -> np.ndarray:
    """Draws the time of each event, (num_events,) seconds, rising by at least one from click to click of a session."""
    elapsed = elapsed_s(rng, lengths)
    start = END - DAY_S * rng.integers(1, num_days + 1, len(lengths))
    start += 3_600 * rng.choice(24, len(lengths), p=HOURS)
    start += rng.integers(3_600, size=len(lengths))
    # an event after the last midnight would make a day of its own, and that day the test part
    start = np.minimum(start, END - 1 - elapsed[np.cumsum(lengths) - 1])
    times: np.ndarray = np.repeat(start, lengths) + elapsed
    return times
