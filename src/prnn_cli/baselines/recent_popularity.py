"""Recent popularity: the score of an item is its support in the last days of training, in every session.

    score(j) = events on j that are at most `days` older than the last event of training

What is published today is clicked today: on news logs this beats most methods (Ludewig and Jannach, UMUAI 2018). Cost:
a pass over the events.
"""

from dataclasses import dataclass

import numpy as np

from prnn_cli.baselines.baseline import Baseline
from prnn_cli.baselines.popularity import Popularity
from prnn_cli.baselines.training_sessions import has_times
from prnn_cli.data.parts import DAY_S
from prnn_cli.data.prepare import PreparedData
from prnn_cli.errors import UserError
from prnn_cli.schema import bounded


@dataclass
class RecentPopularityOptions:
    """`baselines.recent_popularity.*`. days: of training that count, the last ones"""

    days: float = bounded(above=0)


def fit(data: PreparedData, options: RecentPopularityOptions) -> Popularity:
    """Counts the events of each item in the last days of the part train."""
    times = data.train_times
    recent = data.train.items[times >= times.max() - options.days * DAY_S]
    return Popularity(np.bincount(recent, minlength=data.train.num_items), "recent_popularity")


def check(data: PreparedData, options: RecentPopularityOptions) -> None:
    """Raises `UserError` where events have no times that differ."""
    if not has_times(data):
        raise UserError(
            "recent_popularity needs times, but all events of the training part have the same one; leave it out of "
            "baselines=[…] (popularity counts them all)"
        )


BASELINES = {"recent_popularity": Baseline("Recent popularity", fit, RecentPopularityOptions, check)}
