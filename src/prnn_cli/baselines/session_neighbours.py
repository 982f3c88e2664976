"""Session-based nearest neighbours: what S-kNN, V-SKNN, STAN and VSTAN share, each with a formula of its own.

    sim(s, n) = similarity of the session so far, s, to a training session n, by the items that both hold
    score(i)  = Σ_n sim(s, n) · reach(s, n) · gap(i, n) · item(i)      over the k most similar n that hold i

n is sought among the `sample_size` training sessions that ended last, of those that share an item with s. `reach`
weighs a neighbour by the latest click of s that it shares, `gap` an item by its distance from there. Of equally similar
sessions (as float32) the one that ended later is nearer. Scores are divided by the session's highest one, and are at
least 1.2e-38: as float32, what is more than that below the highest ties.

Cost of a prediction: the lists of the session's items, at most `sample_size` sessions together, to find the neighbours,
and the items of k sessions to score. Memory: the clicks of training twice, and for each thread 12 bytes a session and 9
an item; nothing grows with events × sessions.

Shapes: B slots, S training sessions, N items.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from prnn_cli.baselines.slot_clicks import SlotClicks
from prnn_cli.baselines.training_sessions import ALL, NeighbourOptions, TrainingSessions
from prnn_cli.data.prepare import PreparedData
from prnn_cli.scoring import dense_scores
from prnn_cli.system.progress import meter

if TYPE_CHECKING:
    from prnn_cli.baselines.kernels.neighbours import Clicks, Formula, Holders, Room


@dataclass(frozen=True)
class Weights:
    """The factors of a formula; those that it lacks are 1.

    click: (positions from 1, lengths) -> of the session's clicks, in the similarity
    session: (S,) of each training session, in the similarity
    reach: steps back, from 1, to the latest click that a neighbour shares -> of the neighbour's scores
    gap: distances in clicks from a neighbour's latest shared item -> of its items' scores; None: 1
    item: (N,) of an item's score; None: 1
    """

    click: Callable[[np.ndarray, np.ndarray], np.ndarray]
    session: np.ndarray
    reach: Callable[[np.ndarray], np.ndarray]
    gap: Callable[[np.ndarray], np.ndarray] | None = None
    item: np.ndarray | None = None
    is_jaccard: bool = False


class SessionNeighbours:
    """A `Scorer` by the most similar training sessions."""

    def __init__(
        self,
        name: str,
        data: PreparedData,
        options: NeighbourOptions,
        weights_of: Callable[[TrainingSessions], Weights],
    ) -> None:
        from prnn_cli.baselines.kernels.neighbours import holders_of_items

        self.name, self.options, self.num_items = name, options, data.train.num_items
        with meter(f"fitting {name}", 3) as progress:
            training = TrainingSessions.of(data, options.sampling)
            progress.update(1, "steps")
            self._clicks, self._weights = training.clicks, weights_of(training)
            self._formula = _formula_of(self._weights, options, self._clicks)
            self._holders: Holders = holders_of_items(self._clicks, self.num_items, self._formula.sample_size)
            progress.update(2, "steps")
            self._workers = Workers(training.num_sessions, self.num_items)
            self._compile()

    def _compile(self) -> None:
        """Makes a first prediction, so that its loops are compiled now rather than within the time of ranking."""
        self.reset(1)
        self.advance(torch.zeros(1, dtype=torch.int64), torch.ones(1, dtype=torch.bool))
        self.sparse_scores()
        self.reset(0)

    @property
    def index(self) -> tuple["Clicks", "Holders"]:
        """The items of each training session, and the sessions of each item."""
        return self._clicks, self._holders

    def reset(self, num_slots: int) -> None:
        self._slots = SlotClicks(num_slots)

    def advance(self, items: Tensor, new_session: Tensor) -> None:
        self._slots.add(items, new_session)

    def sparse_scores(self) -> sparse.csr_array:
        """The scores (B, num_items): what `scores` is made of."""
        from prnn_cli.baselines.kernels.neighbours import distinct_clicks, score

        items, offsets = self._slots.joined(self.options.last_clicks)
        asked: Clicks = distinct_clicks(items, offsets, np.arange(len(offsets) - 1), self.num_items)
        lengths = np.repeat(np.diff(offsets), np.diff(asked.offsets))
        steps = (lengths - asked.positions + 1).astype(np.int32)
        weights = self._weights.click(asked.positions.astype(np.float64), lengths.astype(np.float64))
        reach = self._weights.reach(np.arange(1.0, lengths.max(initial=0) + 1))
        formula = self._formula._replace(reach=np.append(0, reach))
        left_out = (np.empty(0, np.int32), np.zeros_like(offsets))
        if not self.options.remind:
            left_out = self._slots.joined()
        work = partial(score, self._clicks, self._holders, formula, asked, weights, steps, *left_out)
        return sparse.vstack(
            [
                sparse.csr_array((values, scored, rows), shape=(len(rows) - 1, self.num_items))
                for rows, scored, values in self._workers.each_part(work, len(offsets) - 1)
            ],
            format="csr",
        )

    def scores(self, items: slice | Tensor) -> Tensor:
        return dense_scores(self.sparse_scores(), items, self._slots.device)


def _formula_of(weights: Weights, options: NeighbourOptions, clicks: "Clicks") -> "Formula":
    """The weights as the kernels take them, without what depends on the sessions that are asked about."""
    from prnn_cli.baselines.kernels.neighbours import Formula

    distances, nothing = np.arange(clicks.positions.max(initial=0) + 1.0), np.empty(0)
    return Formula(
        k=options.k,
        sample_size=ALL if options.sample_size is None else options.sample_size,
        is_jaccard=weights.is_jaccard,
        session=weights.session,
        reach=nothing,
        gap=nothing if weights.gap is None else weights.gap(distances),
        item=nothing if weights.item is None else weights.item,
    )


class Workers:
    """As many threads as torch has, each with room for a prediction."""

    def __init__(self, num_sessions: int, num_items: int) -> None:
        self.number = torch.get_num_threads()
        self._shape = num_sessions, num_items
        self._rooms: list[Room] = []
        self._pool = ThreadPoolExecutor(self.number)

    def each_part(self, work: Callable[[int, int, "Room"], Any], number: int) -> list[Any]:
        """The results of `work` (first, last, room) for runs of 0 … number − 1, one for each thread, in their order."""
        bounds = np.linspace(0, number, self.number + 1).astype(int).tolist()
        while len(self._rooms) < self.number:
            self._rooms.append(self._room())
        return list(self._pool.map(work, bounds[:-1], bounds[1:], self._rooms))

    def _room(self) -> "Room":
        from prnn_cli.baselines.kernels.neighbours import Room

        num_sessions, num_items = self._shape
        return Room(
            shared=np.zeros(num_sessions),
            reach=np.zeros(num_sessions, np.int32),
            scores=np.zeros(num_items),
            clicked=np.zeros(num_items, bool),
        )
