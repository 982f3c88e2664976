"""Sequential rules of two items: how often, and how soon, j was clicked after the last click i.

    score(j) = Σ_n Σ_{y < x ≤ y + steps} 1[n_y = i] · 1[n_x = j] · w(x − y)

over the training sessions n, with w(d) = 1/d where `weighting` is div. Kamehkhosh, Jannach and Ludewig, "A Comparison
of Frequent Pattern Techniques and a Deep Learning Method for Session-Based Recommendation" (TempRec 2017).

Cost of fitting: events · steps. Memory: (num_items, num_items) sparse, at most `num_rules` a row.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from prnn_cli.baselines.baseline import Baseline
from prnn_cli.baselines.last_click import LastClickScorer
from prnn_cli.baselines.pairs_of_items import PAIRS_A_BLOCK, strongest
from prnn_cli.baselines.weightings import STEP_WEIGHTS
from prnn_cli.data.counting_sort import counting_argsort
from prnn_cli.data.sessions import Sessions
from prnn_cli.schema import bounded, one_of
from prnn_cli.system.progress import meter


@dataclass
class SequentialRulesOptions:
    """`baselines.sequential_rules.*`. steps: between the two clicks of a rule at most; weighting: w, by
    `weightings.STEP_WEIGHTS`; num_rules: that are kept of each item, the strongest."""

    steps: int = bounded(at_least=1)
    weighting: str = one_of(*STEP_WEIGHTS)
    num_rules: int = bounded(at_least=1)


class SequentialRules(LastClickScorer):
    """Scores by the rules of the last click."""

    @classmethod
    def fit(cls, sessions: Sessions, options: SequentialRulesOptions) -> "SequentialRules":
        """Adds up the pairs of clicks; of equally strong rules those to items of lower index are kept."""
        longest = int(np.diff(sessions.offsets).max(initial=1)) - 1
        weights = STEP_WEIGHTS[options.weighting](np.arange(1.0, max(1, min(options.steps, longest)) + 1))
        ends = np.repeat(sessions.offsets[1:], np.diff(sessions.offsets))
        events = counting_argsort(sessions.items)  # by item
        blocks = []
        with meter("fitting sequential_rules", sessions.num_items) as progress:
            for rows, block in _blocks(events, sessions, len(weights)):
                rules = _rules(block, sessions, ends, weights, rows)
                blocks.append(strongest(rules, options.num_rules))
                progress.update(rows.stop, "items")
        return cls("sequential_rules", sparse.vstack(blocks, format="csr"))


def _rules(
    events: np.ndarray, sessions: Sessions, ends: np.ndarray, weights: np.ndarray, rows: slice
) -> sparse.csr_array:
    """The rules of the items `rows`, which the events click; ends: (num_events,) of each event's session."""
    item, other, weight = [], [], []
    for steps, step_weight in enumerate(weights, 1):
        events = events[events + steps < ends[events]]
        item.append(sessions.items[events] - rows.start)
        other.append(sessions.items[events + steps])
        weight.append(np.full(len(events), step_weight))
    entries = (np.concatenate(item), np.concatenate(other))
    shape = (rows.stop - rows.start, sessions.num_items)
    rules = sparse.csr_array(
        (np.concatenate(weight), entries), shape=shape
    )  # which adds up what stands twice
    rules.data = rules.data.astype(np.float32)
    return rules


def _blocks(events: np.ndarray, sessions: Sessions, steps: int) -> Iterator[tuple[slice, np.ndarray]]:
    """Yields runs of items, with their events, that make about PAIRS_A_BLOCK pairs."""
    support = np.bincount(sessions.items, minlength=sessions.num_items)
    starts = np.append(0, np.cumsum(support))
    cuts = np.arange(0, starts[-1] + 1, max(1, PAIRS_A_BLOCK // max(steps, 1)))
    bounds = np.unique(np.concatenate([[0], np.searchsorted(starts, cuts), [sessions.num_items]]))
    for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        yield slice(first, last), events[starts[first] : starts[last]]


BASELINES = {
    "sequential_rules": Baseline(
        "Sequential rules",
        lambda data, options: SequentialRules.fit(data.train, options),
        SequentialRulesOptions,
    )
}
