"""prnn recommend run=DIR: what a finished run's model expects to be clicked next."""

import logging
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from prnn_cli.commands import Command
from prnn_cli.data.formats.log_files import find_files
from prnn_cli.data.new_sessions import NewSessions, one_session, read_new_sessions
from prnn_cli.data.prepare import with_files
from prnn_cli.errors import UserError
from prnn_cli.evaluation.item_rules import ItemRules
from prnn_cli.evaluation.recommending import best_next, best_next_of_baseline
from prnn_cli.experiment.baselines import RankedBaselines, check_same_features
from prnn_cli.experiment.saved_model import (
    SavedModel,
    check_saved_model,
    data_of,
    load_saved_model,
    stored_baselines,
)
from prnn_cli.features.items import ItemCatalogue
from prnn_cli.networks.folded import FoldedScorer, fold
from prnn_cli.reporting.recommendations import (
    check_output,
    lines_of_one_session,
    lines_of_sessions,
    recommendations,
    write_recommendations,
)
from prnn_cli.reporting.terminal import say, show
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import RecommendCommand, TrainCommand
from prnn_cli.scoring import Scorer
from prnn_cli.system.hardware import select_device

FILE = "recommendations.parquet"

log = logging.getLogger(__name__)


class Recommend(Command):
    """The command `prnn recommend`."""

    options = RecommendCommand

    def check(self, settings: RecommendCommand) -> None:
        if bool(settings.session) == (settings.sessions is not None):
            raise UserError(
                "give one of session=[ITEM_ID,ITEM_ID] (the clicks so far) and sessions=FILE (a log of such sessions)"
            )
        if settings.sessions is not None:
            find_files(settings.sessions, "sessions")
        if settings.output is not None:
            check_output(settings.output)
        trained = check_saved_model(settings.run)
        if settings.method:
            _baselines_of(settings, trained)

    def run(self, settings: RecommendCommand, folder: RunFolder) -> None:
        device = select_device(settings.hardware)
        saved = load_saved_model(settings.run, device)
        sessions = _sessions(settings, saved)

        n, rules = min(settings.n, sessions.known.num_items), ItemRules(settings.exclude_clicked)
        if settings.method:
            baseline = _fitted(settings, saved, device)
            items, scores = best_next_of_baseline(baseline, sessions.known, n, rules, device)
        else:
            network = FoldedScorer(fold(saved.network, saved.parameters))
            items, scores = best_next(network, sessions.known, n, rules, device)
        table = recommendations(sessions, items, scores, saved.items.item_ids)
        paths = [Path(settings.output).expanduser()] if settings.output else []
        if not (
            settings.session and folder.is_named_by_date
        ):  # what is printed needs no folder that nobody named
            paths.insert(0, folder.path / FILE)
        for path in paths:
            write_recommendations(table, path)

        if settings.session:
            shown = items[0, np.isfinite(scores[0])].tolist()
            show(lines_of_one_session(table, _texts(shown, saved, Path(settings.cache_dir))))
        else:
            show(lines_of_sessions(table))
        for sentence in _summary(table, sessions, n, settings.exclude_clicked):
            say(sentence)
        for path in paths:
            print(f"written to {path}")


def _baselines_of(settings: RecommendCommand, trained: TrainCommand) -> RankedBaselines:
    """The one that is to recommend. Raises `UserError` where the run was not compared with it."""
    compared = RunFolder.existing(settings.run).config().baselines
    if settings.method not in compared:
        raise UserError(
            f"method={settings.method} is none of the baselines that the run was compared with; choose one of "
            f"{', '.join(compared) or 'none'}, or leave method out for the network"
        )
    named = stored_baselines(settings.run, [str(settings.method)])
    return RankedBaselines.of(named, trained.features, trained.dataset)


def _fitted(settings: RecommendCommand, saved: SavedModel, device: torch.device) -> Scorer:
    cache_dir = Path(settings.cache_dir)
    data = data_of(saved, cache_dir)
    (baseline,) = _baselines_of(settings, saved.settings).chosen(data, saved.features, cache_dir, device)
    check_same_features([baseline], saved.metrics)
    return baseline.fit(data)


def _sessions(settings: RecommendCommand, saved: SavedModel) -> NewSessions:
    dataset, item_ids = saved.settings.dataset, saved.items.item_ids
    if settings.session:
        clicks = [saved.items.index_of(item_id, "session") for item_id in settings.session]
        return one_session(clicks, len(item_ids), dataset)
    return read_new_sessions(dataset, str(settings.sessions), item_ids)


def _texts(items: list[int], saved: SavedModel, cache_dir: Path) -> list[str] | None:
    """The texts of items; None where the dataset names none, or its table is gone, which the model does not need."""
    dataset = saved.settings.dataset
    if not dataset.items.text:
        return None
    try:
        catalogue = ItemCatalogue(with_files(dataset, cache_dir), saved.items.item_ids)
        return [catalogue.text(item) for item in items]
    except UserError as error:
        log.info("without the items' texts: %s", error)
        return None


def _summary(table: pa.Table, sessions: NewSessions, n: int, exclude_clicked: bool) -> list[str]:
    """Sentences that say what was recommended, and what was not."""
    num_sessions, num_without = len(sessions.ids), table["item_id"].null_count
    left_out = " at most, without those that a session has clicked (exclude_clicked=false keeps them)"
    sentences = [
        f"the {n} best next items of {num_sessions:,} {'sessions' if num_sessions > 1 else 'session'}"
        f"{left_out if exclude_clicked else ''}"
    ]
    if num_without:
        sentences.append(
            f"{num_without:,} of them: no click on an item that the model knows, or nothing left to recommend; a line "
            "each, without an item"
        )
    return sentences


COMMANDS = {"recommend": Recommend()}
