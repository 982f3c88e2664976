"""The ranks kept by runs -> the metrics of each method for each event, and their means by session and by slice."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from prnn_cli.errors import UserError, first_line
from prnn_cli.evaluation.metrics import value_of
from prnn_cli.extensions import registered
from prnn_cli.reporting.runs import FinishedRun, Row
from prnn_cli.run_folder import CHECKSUMS
from prnn_cli.system.files import hash_of

EVENT = ["session_index", "position", "item_index"]
# Name of a slice -> the clicks before the event, at least.
POSITIONS = {"1": 1, "2": 2, "3": 3, "4": 4, "5–9": 5, "10 or more": 10}
NUM_SUPPORT_BINS = 5


@dataclass(frozen=True)
class Measures:
    """The metrics of each method for each of E events.

    events: their session_index, position, item_index and, of newer runs, support
    values: {(method, "recall@20"): (E,) float32}; of several seeds the mean
    """

    events: pd.DataFrame
    values: dict[tuple[str, str], np.ndarray]

    @cached_property
    def _session(self) -> np.ndarray:
        """The session of each event, numbered from 0, (E,)."""
        return np.asarray(np.unique(self.events["session_index"], return_inverse=True)[1])

    def sessions(self, methods: Sequence[str], metric: str) -> tuple[np.ndarray, np.ndarray]:
        """The sums (S, M) over the events of each session, and the number of these (S,)."""
        sums = [np.bincount(self._session, weights=self.values[method, metric]) for method in methods]
        return np.column_stack(sums), np.bincount(self._session)

    def sessions_by(
        self, bins: pd.Series, methods: Sequence[str], metric: str
    ) -> tuple[np.ndarray, np.ndarray]:
        """As `sessions`, for the events of each of B bins: the sums (S, M, B) and the numbers of events (S, B).

        bins: a category for each event, or none
        """
        codes, num_bins = bins.cat.codes.to_numpy(), len(bins.cat.categories)
        inside, num_sessions = codes >= 0, int(self._session.max()) + 1
        place = (self._session * num_bins + codes)[inside]  # in a table of sessions and bins

        def summed(weights: np.ndarray | None = None) -> np.ndarray:
            return np.bincount(place, weights, num_sessions * num_bins).reshape(num_sessions, num_bins)

        sums = [summed(self.values[method, metric][inside]) for method in methods]
        return np.stack(sums, axis=1), summed()

    def support_bins(self) -> pd.Series | None:
        """The bin of each event by its target's training support, rare to popular, each with about as many events;
        older runs kept no support."""
        if "support" not in self.events:
            return None
        bins = pd.qcut(
            self.events["support"], NUM_SUPPORT_BINS, duplicates="drop"
        ).cat.remove_unused_categories()
        bounds = self.events["support"].groupby(bins, observed=True).agg(["min", "max"])
        return bins.cat.rename_categories([_range(low, high) for low, high in bounds.itertuples(index=False)])

    def position_bins(self) -> pd.Series:
        """The bin of each event by the number of clicks before it."""
        edges = [*POSITIONS.values(), np.inf]
        bins = pd.cut(self.events["position"], edges, right=False, labels=list(POSITIONS))
        return bins.cat.remove_unused_categories()


def measure(rows: Sequence[Row], baselines: Sequence[str], metrics: Sequence[str]) -> Measures:
    """Measures rows that rank the same events, and the baselines of the first run.

    Raises `UserError` where a ranks.parquet has other events, or cannot be read.
    """
    first = next(run for row in rows for run in row.runs)
    ranks = read_ranks(first)
    events = ranks[[*EVENT, *(["support"] if "support" in ranks else [])]]
    values = {
        (name, metric): _value(ranks[f"rank_{name}"], metric) for name in baselines for metric in metrics
    }
    for row in rows:
        for metric in metrics:
            values[row.name, metric] = np.zeros(len(events), dtype=np.float32)
        for run in row.runs:
            ranks = read_ranks(run)
            if not ranks[EVENT].equals(events[EVENT]):
                raise UserError(f"{run.folder} ranks other events than {first.folder}")
            for metric in metrics:
                values[row.name, metric] += _value(ranks["rank_network"], metric) / len(row.runs)
    return Measures(events, values)


def check_ranks(run: FinishedRun) -> None:
    """Raises `UserError` where the run's ranks.parquet is damaged, another run's, or gives other metrics than
    metrics.json."""
    path, ranks = _ranks_file(run), read_ranks(run)
    if hash_of(None, [path]) != run.metrics[CHECKSUMS].get(path.name):
        raise UserError(f"{path.name} is damaged, or belongs to another run; restore it, or evaluate again")
    for name, values in {"network": run.metrics, **run.metrics["baselines"]}.items():
        for metric in (key for key in values if key.partition("@")[0] in registered("METRICS")):
            measured = float(np.mean(value_of(metric, ranks[f"rank_{name}"].to_numpy())))
            if not math.isclose(measured, values[metric], abs_tol=1e-6):
                raise UserError(
                    f"metrics.json is damaged: {metric} of {name} is {values[metric]:.6g} there, and {measured:.6g} by "
                    f"{path.name}; restore it, or evaluate again"
                )


def read_ranks(run: FinishedRun) -> pd.DataFrame:
    """The ranks that the run kept. Raises `UserError` where they cannot be read."""
    try:
        return pd.read_parquet(_ranks_file(run))
    except (OSError, ValueError) as error:
        raise UserError(f"{_ranks_file(run)} cannot be read ({first_line(error)})") from error


def _ranks_file(run: FinishedRun) -> Path:
    return run.folder / "ranks.parquet"


def _value(ranks: pd.Series, metric: str) -> np.ndarray:
    """The metric of each rank, (E,) float32."""
    return value_of(metric, ranks.to_numpy(dtype=np.float32)).astype(np.float32)


def _range(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"
