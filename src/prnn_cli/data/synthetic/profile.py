"""Generated logs of the sizes of the paper's Table 1, in blocks: bounded memory, and any number of processes.

`click_model.py` says how sessions click, `profile_sessions.py` how long they are and when they start, and
`profile_texts.py`, `thumbnails.py` and `vectors.py` what is known of the items. Every block of items or
sessions is drawn by a generator of its own, seeded by its number, so that nothing depends on who draws it or when.
"""

import dataclasses
import math
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from prnn_cli.data.synthetic.click_model import ClickModel, GeneratedItems
from prnn_cli.data.synthetic.profile_sessions import (
    SessionBlock,
    draw_events,
    popularity_of_ranks,
    session_blocks,
)
from prnn_cli.data.synthetic.profile_texts import draw_texts
from prnn_cli.data.synthetic.thumbnails import Looks
from prnn_cli.data.synthetic.vectors import VectorModel
from prnn_cli.errors import RunError, UserError
from prnn_cli.schema import GENERATED_CLICKS, ProfileConfig
from prnn_cli.system.cache import Identity, cached_folder
from prnn_cli.system.progress import meter

GENERATOR_VERSION = 2  # part of the folder's name: raise it with every change of what is generated

EVENTS, ITEMS, IMAGES, VECTORS = "events.parquet", "items.parquet", "images", "vectors.npy"

ITEMS_A_BLOCK = 10_000
COMPRESSION = "zstd"
CATALOGUE, LOOKS, ITEM_BLOCK, SESSION_BLOCK, VECTOR_MODEL = range(
    5
)  # what a generator of random numbers is for


def generate_profile(config: ProfileConfig, scale: float, cache_dir: Path) -> Path:
    """Folder of the generated log, made unless it is there already; the same arguments give the same bytes.

    `scale` multiplies sessions and items alike. The folder holds
    events.parquet: session_id, item_id, time (seconds, UTC), all int32, by time within a block of sessions, and
        the blocks by the first clicks of their sessions
    items.parquet: item_id, title, description (null for some), and where there are image files, image (path; null
        for some)
    images/: one PNG for each item that has an image, up to `config.max_image_files` items
    vectors.npy: (num_items, config.vectors.size) float16, l2-normalised, what stands for a network's view of the
        images; row i belongs to row i of items.parquet, of zeros for an item without image

    Raises `UserError` for a scale that leaves too few items for two intents.
    """
    if num_intents(config, scale) < 2:
        raise UserError(
            f"dataset.scale={scale:g} is too small; it leaves {num_items(config, scale)} items, which are not two "
            f"intents of dataset.profile.items_per_intent={config.items_per_intent}"
        )
    settings = {"scale": float(scale), **dataclasses.asdict(config)}
    del settings["workers"]
    identity = Identity.of(GENERATOR_VERSION, settings)
    return cached_folder(
        cache_dir / "synthetic", identity, lambda folder: GeneratedLog(config, float(scale), folder).write()
    )


def num_items(config: ProfileConfig, scale: float) -> int:
    """The number of items in the log before preparation, which drops the rarest."""
    return round(config.num_items * scale * (1 + config.surplus.items))


def num_intents(config: ProfileConfig, scale: float) -> int:
    """The number of intents, whose share of items is the same at every scale."""
    return num_items(config, scale) // config.items_per_intent


def has_image_files(config: ProfileConfig, scale: float) -> bool:
    """Whether there are thumbnails, rather than vectors that stand for them."""
    return num_items(config, scale) <= config.max_image_files


@dataclass
class GeneratedLog:
    """A log whose blocks any process can draw: what they have in common is small enough to be drawn again in each."""

    config: ProfileConfig
    scale: float
    folder: Path

    @property
    def num_item_blocks(self) -> int:
        return math.ceil(num_items(self.config, self.scale) / ITEMS_A_BLOCK)

    @cached_property
    def session_blocks(self) -> list[SessionBlock]:
        return session_blocks(self.config, self.scale)

    @cached_property
    def catalogue(self) -> GeneratedItems:
        rng = self._rng(CATALOGUE)
        total = num_items(self.config, self.scale)
        by_rank = popularity_of_ranks(total, self.config.zipf_exponent, self.config.zipf_shift)
        return GeneratedItems.draw(
            rng,
            rng.permutation(by_rank),
            num_intents(self.config, self.scale),
            self.config.successors,
        )

    @cached_property
    def click_model(self) -> ClickModel:
        clicks = self.config.clicks
        shares = {kind: clicks.get(kind, 0) / sum(clicks.values()) for kind in GENERATED_CLICKS}
        return ClickModel(self.catalogue, shares, self.config.browsing)

    @cached_property
    def looks(self) -> Looks:
        return Looks.draw(self._rng(LOOKS), num_intents(self.config, self.scale))

    @cached_property
    def vector_model(self) -> VectorModel:
        return VectorModel.draw(
            self._rng(VECTOR_MODEL), num_intents(self.config, self.scale), self.config.vectors
        )

    def write(self) -> None:
        """Fills the folder with the two tables, and the images or vectors."""
        self.make_room()
        with _processes(self, self.config.workers) as mapped:
            blocks = self.num_item_blocks
            _write_table(self.folder / ITEMS, mapped("items", blocks), "items", blocks)
            blocks = len(self.session_blocks)
            _write_table(self.folder / EVENTS, mapped("events", blocks), "sessions", blocks)

    def make_room(self) -> None:
        """Creates what the blocks write into beside the tables: the file of vectors, and the folder of images."""
        shape = (num_items(self.config, self.scale), self.config.vectors.size)
        np.lib.format.open_memmap(self.folder / VECTORS, mode="w+", dtype=np.float16, shape=shape).flush()
        if has_image_files(self.config, self.scale):
            (self.folder / IMAGES).mkdir()

    def events(self, number: int) -> pa.Table:
        """Draws the events of a block of sessions."""
        block = self.session_blocks[number]
        return draw_events(self._rng(SESSION_BLOCK, number), self.click_model, block)

    def items(self, number: int) -> pa.Table:
        """Draws the table of a block of items, and writes their vectors and images."""
        rng = self._rng(ITEM_BLOCK, number)
        rows = slice(number * ITEMS_A_BLOCK, (number + 1) * ITEMS_A_BLOCK)
        intent, style = self.catalogue.intent[rows], self.catalogue.style[rows]
        item_ids = np.arange(self.catalogue.num_items, dtype=np.int32)[rows]
        has_text = rng.random(len(style)) >= self.config.without_text
        has_image = rng.random(len(style)) >= self.config.without_image
        languages = self.config.languages
        texts = draw_texts(rng, intent, style, num_intents(self.config, self.scale), languages)
        columns: dict[str, Any] = {"item_id": item_ids} | {
            name: pc.if_else(pa.array(has_text), text, pa.scalar(None, pa.string()))
            for name, text in texts.items()
        }
        vectors = np.lib.format.open_memmap(self.folder / VECTORS, mode="r+")
        vectors[rows] = self.vector_model.vectors(rng, intent, style, has_image)
        vectors.flush()
        if has_image_files(self.config, self.scale):
            paths = [f"{IMAGES}/{item_id}.png" for item_id in item_ids]
            shown = pa.array(has_image)
            columns["image"] = pc.if_else(shown, pa.array(paths), pa.scalar(None, pa.string()))
            for at in np.flatnonzero(has_image):
                self.looks.thumbnail(rng, intent[at], style[at]).save(self.folder / paths[at])
        return pa.table(columns)

    def _rng(self, *purpose: int) -> np.random.Generator:
        return np.random.default_rng([self.config.seed, *purpose])


def _write_table(path: Path, blocks: Iterator[pa.Table], what: str, num_blocks: int) -> None:
    """Writes a row group for each block, as they come."""
    with meter(f"generating {what}", num_blocks) as progress:
        first = next(blocks)
        with pq.ParquetWriter(path, first.schema, compression=COMPRESSION) as writer:
            writer.write_table(first)
            for done, table in enumerate(blocks, start=2):
                writer.write_table(table)
                progress.update(done, f"{what}")


Mapped = Callable[[str, int], Iterator[pa.Table]]


@contextmanager
def _processes(log: GeneratedLog, workers: int) -> Iterator[Mapped]:
    """Yields `mapped`, with which `mapped("events", n)` are the first n blocks in their order.

    They are drawn here, or by several processes ahead of their use.
    """
    num_workers = min(workers, os.cpu_count() or 1, max(log.num_item_blocks, len(log.session_blocks)))
    if num_workers == 1:
        yield lambda method, count: map(getattr(log, method), range(count))
        return
    # Spawned, as threads of torch and Arrow would not survive a fork.
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(num_workers, context, initializer=_adopt, initargs=(log,))
    try:
        yield lambda method, count: executor.map(_block, repeat(method), range(count))
    except BrokenProcessPool as error:
        raise RunError(
            "a process that generates the log has ended, as it does when memory runs out; "
            "try again with fewer of them: dataset.profile.workers=1"
        ) from error
    finally:
        executor.shutdown(cancel_futures=True)


_adopted: GeneratedLog  # in a worker: what it draws blocks of


def _adopt(log: GeneratedLog) -> None:
    global _adopted
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent, which got it too, ends the workers
    _adopted = log


def _block(method: str, number: int) -> pa.Table:
    return getattr(_adopted, method)(number)
