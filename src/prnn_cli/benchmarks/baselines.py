"""Timings of baselines: the fit on a drawn log, and the ranking of sessions that it has not seen.

The floor of a fit is one counting sort of its events by item; that of ranking by nearest sessions, to add up what the
lists of a session's items and the sessions of k neighbours hold, without choosing any of them.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from prnn_cli.baselines.session_neighbours import SessionNeighbours
from prnn_cli.benchmarks.logs import drawn_data, drawn_features
from prnn_cli.benchmarks.timing import seconds_of
from prnn_cli.data.counting_sort import counting_argsort
from prnn_cli.data.prepare import PreparedData
from prnn_cli.evaluation.candidates import Candidates
from prnn_cli.evaluation.methods import ChosenBaseline
from prnn_cli.evaluation.replay import replay
from prnn_cli.extensions import chosen
from prnn_cli.schema import BaselineCase

CPU = torch.device("cpu")
RANKED_SESSIONS = 4000  # which the fit does not see


def baseline_rows(case: BaselineCase, options: Any) -> Iterator[dict[str, Any]]:
    """Yields the row of the fit with these options, then that of the ranking."""
    entry = chosen("BASELINES", case.name, "bench.baselines.name")
    features = {"text": drawn_features("tfidf", "text", case.num_items)} if entry.uses_features else {}
    baseline = ChosenBaseline(case.name, entry, options, features)
    data = _drawn(case)
    num_events, num_ranked = data.train.num_events, data.test.num_ranked
    took = seconds_of(lambda: baseline.fit(data), CPU, repeats=1)
    floor = seconds_of(lambda: counting_argsort(data.train.items), CPU, repeats=3)
    shared = {"device": "cpu", "num_items": case.num_items, "threads": torch.get_num_threads()}
    yield shared | {
        "what": f"{entry.label}, fit on {num_events:,} events",
        "seconds": took,
        "floor_seconds": floor,
        "ratio": took / floor,
        "events_per_s": num_events / took,
    }
    scorer = baseline.fit(data)
    candidates = Candidates.choose("all", data.support)
    took = seconds_of(lambda: replay(scorer, data.test, candidates), CPU, repeats=3)
    row = {"what": f"{entry.label}, ranking", "seconds": took, "events_per_s": num_ranked / took}
    if isinstance(scorer, SessionNeighbours):
        floor = seconds_of(lambda: _add_up(scorer, data), CPU, repeats=3)
        row |= {"floor_seconds": floor, "ratio": took / floor}
    yield shared | row


def _drawn(case: BaselineCase) -> PreparedData:
    """A drawn log whose last sessions are its test part."""
    data = drawn_data(case.num_events // 5 + RANKED_SESSIONS, case.num_items)
    places = np.arange(data.train.num_sessions)
    train, test = (
        data.train.subset(places[cut]) for cut in (slice(-RANKED_SESSIONS), slice(-RANKED_SESSIONS, None))
    )
    times = data.train_times[: train.num_events]
    return replace(data, train=train, test=test, read_train_times=lambda: times)


def _add_up(scorer: SessionNeighbours, data: PreparedData) -> None:
    """What the ranking of the test part cannot do without, by as many threads."""
    from prnn_cli.baselines.kernels.floor import add_up

    number = torch.get_num_threads()
    parts = data.test.shards(number)
    with ThreadPoolExecutor(number) as pool:
        list(pool.map(lambda part: add_up(*scorer.index, scorer.options.k, part.items, part.offsets), parts))
