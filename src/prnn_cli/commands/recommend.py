"""prnn recommend run=DIR: what a finished run's model expects to be clicked next."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import torch

from prnn_cli.commands import Command
from prnn_cli.data.formats.log_files import find_files
from prnn_cli.data.new_sessions import NewSessions, one_session, read_new_sessions, stream_new_sessions
from prnn_cli.data.prepare import with_files
from prnn_cli.errors import UserError
from prnn_cli.evaluation.item_rules import ItemRules
from prnn_cli.evaluation.recommending import best_next_of_baseline
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
    RecommendationsFile,
    check_output,
    lines_of_one_session,
    lines_of_sessions,
    recommendations,
)
from prnn_cli.reporting.terminal import say, show
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import RecommendCommand, TrainCommand
from prnn_cli.scoring import Scorer
from prnn_cli.serving.answering import answered
from prnn_cli.serving.explaining import check_explainable
from prnn_cli.serving.item_lists import item_rules, read_item_list
from prnn_cli.serving.new_items import with_new_items
from prnn_cli.system.hardware import select_device

FILE = "recommendations.parquet"
BLOCK = 20_000  # sessions that are answered at a time

log = logging.getLogger(__name__)

RulesOf = Callable[[NewSessions], ItemRules]


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
        if settings.stream and settings.sessions is None:
            raise UserError("stream=true reads a log of sessions, sessions=FILE")
        if settings.output is not None:
            check_output(settings.output)
        trained = check_saved_model(settings.run)
        if settings.method:
            if settings.explain:
                raise UserError("explain=true tells the shares of a network's subnets; leave method out")
            if settings.new_items:
                raise UserError("new_items gives a network rows for new items; leave method out")
            _baselines_of(settings, trained)

    def run(self, settings: RecommendCommand, folder: RunFolder) -> None:
        device = select_device(settings.hardware)
        saved = load_saved_model(settings.run, device)
        if settings.new_items:
            saved = with_new_items(saved, settings.new_items, settings.boost)
        n = min(settings.n, len(saved.items.item_ids))
        rules_of = _rules_of(settings, saved)
        answer = (
            _by_baseline(settings, saved, n, device)
            if settings.method
            else _by_network(settings, saved, n, device)
        )
        paths = [Path(settings.output).expanduser()] if settings.output else []
        if not (
            settings.session and folder.is_named_by_date
        ):  # what is printed needs no folder that nobody named
            paths.insert(0, folder.path / FILE)
        count = _Count()
        with ExitStack() as stack:
            files = [stack.enter_context(RecommendationsFile(path)) for path in paths]
            for sessions in _sessions(settings, saved):
                table = answer(sessions, rules_of(sessions))
                for file in files:
                    file.write(table)
                count.add(sessions, table)
        assert count.first is not None

        if settings.session:
            show(lines_of_one_session(count.first, _texts(count.first, saved, Path(settings.cache_dir))))
        else:
            show(lines_of_sessions(count.first))
        for sentence in count.summary(n, settings.exclude_clicked):
            say(sentence)
        for path in paths:
            print(f"written to {path}")


@dataclass
class _Count:
    """Of what was answered. first: the table of the first sessions"""

    num_sessions: int = 0
    num_without: int = 0
    first: pa.Table | None = None

    def add(self, sessions: NewSessions, table: pa.Table) -> None:
        self.num_sessions += len(sessions.ids)
        self.num_without += table["item_id"].null_count
        self.first = table if self.first is None else self.first

    def summary(self, n: int, exclude_clicked: bool) -> list[str]:
        """Sentences that say what was recommended, and what was not."""
        left_out = " at most, without those that a session has clicked (exclude_clicked=false keeps them)"
        sentences = [
            f"the {n} best next items of {self.num_sessions:,} {'sessions' if self.num_sessions > 1 else 'session'}"
            f"{left_out if exclude_clicked else ''}"
        ]
        if self.num_without:
            sentences.append(
                f"{self.num_without:,} of them: no click on an item that the model knows, or nothing left to "
                "recommend; a line each, without an item"
            )
        return sentences


Answer = Callable[[NewSessions, ItemRules], pa.Table]


def _by_network(settings: RecommendCommand, saved: SavedModel, n: int, device: torch.device) -> Answer:
    scorer = FoldedScorer(fold(saved.network, saved.parameters))
    if settings.explain:
        check_explainable(scorer.folded)

    def answer(sessions: NewSessions, rules: ItemRules) -> pa.Table:
        return answered(scorer, sessions, n, rules, saved.items.item_ids, settings.explain, device)

    return answer


def _by_baseline(settings: RecommendCommand, saved: SavedModel, n: int, device: torch.device) -> Answer:
    baseline = _fitted(settings, saved, device)

    def answer(sessions: NewSessions, rules: ItemRules) -> pa.Table:
        items, scores = best_next_of_baseline(baseline, sessions.known, n, rules, device)
        return recommendations(sessions, items, scores, saved.items.item_ids)

    return answer


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


def _sessions(settings: RecommendCommand, saved: SavedModel) -> Iterator[NewSessions]:
    """The sessions to answer, all of them at once or, of a stream, some at a time."""
    dataset, item_ids = saved.settings.dataset, saved.items.item_ids
    if settings.session:
        clicks = [saved.items.index_of(item_id, "session") for item_id in settings.session]
        yield one_session(clicks, len(item_ids), dataset)
    elif not settings.stream:
        yield read_new_sessions(dataset, str(settings.sessions), item_ids)
    else:
        for block in stream_new_sessions(dataset, str(settings.sessions), item_ids):
            yield from block.split(BLOCK)


def _rules_of(settings: RecommendCommand, saved: SavedModel) -> RulesOf:
    """The rules for some sessions."""
    index = pd.Index(saved.items.item_ids, dtype=object)
    allow, deny = (
        read_item_list(getattr(settings, name), name, saved.settings.dataset, index)
        for name in ("allow", "deny")
    )
    by_session = isinstance(allow, dict) or isinstance(deny, dict)
    if by_session and settings.session:
        raise UserError(
            "a list with session_id is of the sessions in sessions=FILE; session=[…] has no id of its own"
        )

    def rules_of(sessions: NewSessions) -> ItemRules:
        keys = sessions.ids.take(pa.array(sessions.known.session_index)).to_pylist() if by_session else []
        return item_rules(index, keys, exclude_clicked=settings.exclude_clicked, allow=allow, deny=deny)

    return rules_of


def _texts(table: pa.Table, saved: SavedModel, cache_dir: Path) -> list[str] | None:
    """The items' texts; None where the dataset names none, or its table is gone, which the model does not need."""
    dataset = saved.settings.dataset
    if not dataset.items.text:
        return None
    try:
        item_ids = saved.items.item_ids[: saved.metrics["data"]["items"]]  # new ones are described elsewhere
        catalogue = ItemCatalogue(with_files(dataset, cache_dir), item_ids)
        items: np.ndarray = pd.Index(item_ids).get_indexer(pd.Index(table["item_id"].drop_null().to_pylist()))
        return [catalogue.text(item) if item >= 0 else "" for item in items.tolist()]
    except UserError as error:
        log.info("without the items' texts: %s", error)
        return None


COMMANDS = {"recommend": Recommend()}
