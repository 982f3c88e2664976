"""prnn recommend run=DIR: what a finished run's model expects to be clicked next."""

import logging
from dataclasses import replace
from pathlib import Path
from textwrap import shorten

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from prnn_cli.commands import Command
from prnn_cli.data.events import read_events
from prnn_cli.data.prepare import with_files
from prnn_cli.data.sessions import Sessions
from prnn_cli.errors import UserError
from prnn_cli.evaluation.recommending import best_next
from prnn_cli.experiment.saved_model import SavedModel, check_saved_model, load_saved_model
from prnn_cli.features.items import ItemCatalogue
from prnn_cli.networks.scorer import NetworkScorer
from prnn_cli.reporting.table_formats import TextTable
from prnn_cli.reporting.terminal import show
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import RecommendCommand
from prnn_cli.system.files import atomic_write
from prnn_cli.system.hardware import select_device

FILE = "recommendations.parquet"
SHOWN_TEXT = 60  # characters

log = logging.getLogger(__name__)


class Recommend(Command):
    """The command `prnn recommend`."""

    options = RecommendCommand

    def check(self, settings: RecommendCommand) -> None:
        if bool(settings.session) == (settings.sessions is not None):
            raise UserError(
                "give one of session=[ITEM_ID,ITEM_ID] (the clicks so far) and sessions=FILE (a log of such sessions)"
            )
        check_saved_model(settings.run)

    def run(self, settings: RecommendCommand, folder: RunFolder) -> None:
        device, cache_dir = select_device(settings.hardware), Path(settings.cache_dir)
        saved = load_saved_model(settings.run, device)
        if settings.session:
            names, sessions = pa.array(["session"]), _session_of(settings.session, saved)
        else:
            names, sessions = _sessions_of(str(settings.sessions), saved)

        scorer = NetworkScorer(saved.network, saved.parameters)
        n = min(settings.n, sessions.num_items)
        items, scores = best_next(scorer, sessions, n, settings.exclude_clicked, device)
        table = _table(names, items, scores, saved.items.item_ids)
        with atomic_write(folder.path / FILE) as temporary:
            pq.write_table(table, temporary)
        if settings.session:
            show(_described(table, items[0], saved, cache_dir))
        else:
            print(f"the {n} best next items of {len(names):,} sessions")
        print(f"written to {folder.path / FILE}")


def _session_of(item_ids: list[str], saved: SavedModel) -> Sessions:
    clicks = np.array([saved.items.index_of(item_id, "session") for item_id in item_ids], dtype=np.int32)
    return Sessions(
        clicks, np.array([0, len(clicks)]), np.zeros(1, dtype=np.int64), len(saved.items.item_ids)
    )


def _sessions_of(path: str, saved: SavedModel) -> tuple[pa.Array, Sessions]:
    """The sessions of a log that is read as the model's own was: their ids, and their clicks on items it knows."""
    dataset = replace(saved.settings.dataset, path=path, synthetic=None, profile=None, scale=None)
    events = read_events(dataset)
    known = pd.Index(saved.items.item_ids).get_indexer(events.item_ids.to_pylist())[events.item]
    order = np.argsort(events.session, kind="stable")
    order = order[known[order] >= 0]
    if not len(order):
        raise UserError(
            f"none of the items in sessions={path} is known to the model; they are those of "
            f"dataset.path={saved.settings.dataset.path} that were clicked often enough"
        )
    if unknown := len(events) - len(order):
        log.warning(
            "%d of %d clicks are on items that the model does not know: left out", unknown, len(events)
        )
    session, starts = np.unique(events.session[order], return_index=True)
    offsets = np.append(starts, len(order)).astype(np.int64)
    clicks = known[order].astype(np.int32)
    sessions = Sessions(clicks, offsets, np.arange(len(session)), len(saved.items.item_ids))
    return events.session_ids.take(pa.array(session)), sessions


def _table(names: pa.Array, items: np.ndarray, scores: np.ndarray, item_ids: np.ndarray) -> pa.Table:
    """session_id, rank (from 1), item_id, score: best first; items that are left out have no line."""
    num_sessions, n = items.shape
    table = pa.table(
        {
            "session_id": names.take(pa.array(np.repeat(np.arange(num_sessions), n))),
            "rank": np.tile(np.arange(1, n + 1, dtype=np.int32), num_sessions),
            "item_id": pa.array(item_ids[items.ravel()]),
            "score": scores.ravel(),
        }
    )
    return table.filter(pa.array(np.isfinite(scores.ravel())))


def _described(table: pa.Table, items: np.ndarray, saved: SavedModel, cache_dir: Path) -> TextTable:
    """The recommendations for one session, with texts. items: item_index of each line, in order, perhaps more"""
    named = {"rank": "Rank", "item_id": "Item", "score": "score"}
    shown = table.select(list(named)).to_pandas().rename(columns=named)
    dataset = saved.settings.dataset
    if dataset.items.text:
        try:
            catalogue = ItemCatalogue(with_files(dataset, cache_dir), saved.items.item_ids)
            texts = map(catalogue.text, items[: len(shown)].tolist())
            shown["Text"] = [shorten(text, SHOWN_TEXT, placeholder=" …") for text in texts]
        except UserError as error:  # the model needs no table of items
            log.info("without the items' texts: %s", error)
    return TextTable.from_frame(shown, {"score": ".4f"})


COMMANDS = {"recommend": Recommend()}
