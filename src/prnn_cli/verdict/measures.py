"""The metric of a row's runs, and of baselines, session by session."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from prnn_cli.errors import RunError
from prnn_cli.evaluation.metrics import value_of
from prnn_cli.reporting.event_values import EVENT, Measures, check_ranks, read_ranks
from prnn_cli.reporting.runs import read_run
from prnn_cli.run_folder import RunFolder

COLUMNS = [*EVENT, "support"]


@dataclass(frozen=True)
class Events:
    """The predicted events of a part, in the order of ranks.parquet, and the sessions that they belong to."""

    frame: pd.DataFrame

    @classmethod
    def of(cls, folder: RunFolder) -> "Events":
        """The events that a run ranked."""
        return cls(_ranks(folder)[COLUMNS])

    def rarest(self, share: float) -> np.ndarray:
        """Which events, (E,) bool, have targets of a support up to the quantile `share`."""
        support = self.frame["support"].to_numpy()
        rare: np.ndarray = support <= np.quantile(support, share)
        return rare

    def slices(self) -> Iterator[tuple[str, str, np.ndarray]]:
        """By what, the name, and which of the events, (E,) bool: by the targets' support, and by position."""
        measures = Measures(self.frame, {})
        bins = {"how often the target was clicked in training": measures.support_bins()}
        bins["how many clicks came before"] = measures.position_bins()
        for by, found in bins.items():
            for name in found.cat.categories if found is not None else ():
                yield by, str(name), (found == name).to_numpy()

    def by_session(self, values: np.ndarray, which: np.ndarray) -> np.ndarray:
        """The sums of values (K, E) over the events `which` of each session that has any, (K, S)."""
        _, session = np.unique(self.frame["session_index"].to_numpy()[which], return_inverse=True)
        return np.stack([np.bincount(session, each[which]) for each in values])

    def counts(self, which: np.ndarray) -> np.ndarray:
        """The number of events `which` of each session that has any, (S,)."""
        counts: np.ndarray = self.by_session(np.ones((1, len(which))), which)[0]
        return counts


def values_of(folders: Sequence[RunFolder], metric: str, events: Events) -> np.ndarray:
    """The metric of each event by each run's network, (K, E).

    Raises `RunError` for runs that ranked other events, `UserError` for one whose files are damaged.
    """
    found = []
    for folder in folders:
        ranks = _ranks(folder)
        if not ranks[COLUMNS].equals(events.frame):
            raise RunError(f"{folder.path} ranked other events; remove it, and go on with resume=true")
        found.append(value_of(metric, ranks["rank_network"].to_numpy()))
    return np.stack(found)


def values_of_baselines(folder: RunFolder, metric: str, labels: Mapping[str, str]) -> dict[str, np.ndarray]:
    """The metric of each event by a run's baselines, (1, E) by label. labels: by the baselines' names"""
    ranks = _ranks(folder)
    return {label: value_of(metric, ranks[f"rank_{name}"].to_numpy())[None] for name, label in labels.items()}


def _ranks(folder: RunFolder) -> pd.DataFrame:
    run = read_run(folder.path)
    check_ranks(run)
    return read_ranks(run)
