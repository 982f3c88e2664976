"""The training sessions as nearest neighbours see them: in the order in which they are sampled, with their ages."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from omegaconf import MISSING

from prnn_cli.data.parts import DAY_S
from prnn_cli.data.prepare import PreparedData
from prnn_cli.errors import UserError
from prnn_cli.schema import bounded, one_of

if TYPE_CHECKING:
    from prnn_cli.baselines.kernels.neighbours import Clicks

ALL = 2**31 - 1  # more sessions, or clicks, than there are

log = logging.getLogger(__name__)


@dataclass
class NeighbourOptions:
    """k: neighbours; sample_size: sessions that they are chosen from, null: all that share an item; sampling: the ones
    that ended last, or the first of one random order; remind: whether items of the session are scored; last_clicks: of
    the session so far that count, null: all."""

    k: int = bounded(at_least=1)
    sample_size: int | None = bounded(at_least=1)
    sampling: str = one_of("recent", "random")
    remind: bool = MISSING
    last_clicks: int | None = bounded(at_least=1)

    def check_values(self, path: str) -> None:
        if self.sample_size is not None and self.k > self.sample_size:
            raise UserError(
                f"{path}k={self.k} neighbours cannot be chosen from {path}sample_size={self.sample_size} sessions; "
                f"lower k, or raise sample_size"
            )


@dataclass(frozen=True)
class TrainingSessions:
    """S training sessions in the order in which they are sampled, of N items.

    clicks: their distinct items
    age: (S,) days from a session's last click to the last of all
    """

    clicks: "Clicks"
    age: np.ndarray
    num_items: int

    @classmethod
    def of(cls, data: PreparedData, sampling: str) -> "TrainingSessions":
        """The sessions of the part train. sampling: as in `NeighbourOptions`"""
        from prnn_cli.baselines.kernels.neighbours import distinct_clicks

        sessions = data.train
        ends = data.train_times[sessions.offsets[1:] - 1]
        if sampling == "recent":
            order = np.argsort(ends, kind="stable")[::-1].copy()
        else:
            order = np.random.default_rng(0).permutation(sessions.num_sessions)
        clicks = distinct_clicks(sessions.items, sessions.offsets, order, sessions.num_items)
        return cls(clicks, (ends.max() - ends[order]) / DAY_S, sessions.num_items)

    @property
    def num_sessions(self) -> int:
        return len(self.age)

    @property
    def sizes(self) -> np.ndarray:
        """The distinct items of each session, (S,) float64."""
        return np.diff(self.clicks.offsets).astype(np.float64)

    @property
    def idf(self) -> np.ndarray:
        """log(S / sessions that hold the item), (N,)."""
        holding = np.bincount(self.clicks.items, minlength=self.num_items)
        idf: np.ndarray = np.log(self.num_sessions / np.maximum(holding, 1))
        return idf


def check_neighbours(
    data: PreparedData, options: NeighbourOptions, path: str, lambda_snh: float | None = None
) -> None:
    """Warns of more neighbours than there are sessions. Raises `UserError` for times where all are the same.

    lambda_snh: days of the decay by a session's age, if there is any
    """
    num_sessions = data.train.num_sessions
    if options.k > num_sessions:
        log.warning(
            "%s.k=%d neighbours are more than the %s sessions of the training part: all that share an item are "
            "neighbours",
            path,
            options.k,
            f"{num_sessions:,}",
        )
    needs = [f"{path}.sampling=recent"] if options.sampling == "recent" else []
    needs += [f"{path}.lambda_snh={lambda_snh:g}"] if lambda_snh is not None else []
    if needs and not has_times(data):
        raise UserError(
            f"{' and '.join(needs)} {'go' if len(needs) > 1 else 'goes'} by the times of sessions, but all events of "
            f"the training part have the same one; set {path}.sampling=random"
            + (f" {path}.lambda_snh=null" if lambda_snh is not None else "")
        )


def has_times(data: PreparedData) -> bool:
    """Whether training events can be told apart by their times."""
    times = data.train_times
    return bool(len(times) and times.min() < times.max())
