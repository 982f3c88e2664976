"""Session-based nearest neighbours written from the papers' formulas, with dicts and loops.

A training session is (items in the order of their clicks, time of the last one in days). Each function returns the
scores of the next click after `session`: {item: score}, without those that are 0.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from math import exp, log, log10, sqrt

import numpy as np

Training = Sequence[tuple[Sequence[int], float]]

WEIGHTING: dict[str, Callable[[int, int], float]] = {  # of the click p of l
    "same": lambda p, length: 1.0,
    "div": lambda p, length: p / length,
    "linear": lambda p, length: max(1 - 0.1 * (length - p), 0),
    "log": lambda p, length: 1 / log10(length - p + 1.7),
    "quadratic": lambda p, length: (p / length) ** 2,
}
WEIGHTING_SCORE: dict[str, Callable[[int], float]] = {  # of a step of i
    "same": lambda i: 1.0,
    "div": lambda i: 1 / i,
    "linear": lambda i: max(1 - 0.1 * i, 0),
    "log": lambda i: 1 / log10(i + 1.7),
    "quadratic": lambda i: 1 / i**2,
}


def sample(training: Training, session: Sequence[int], sample_size: int) -> list[int]:
    """The numbers of the sessions that ended last, of those that share an item; of equal ones the later numbers."""
    sharing = [n for n, (items, _) in enumerate(training) if set(items) & set(session)]
    return sorted(sharing, key=lambda n: (training[n][1], n), reverse=True)[:sample_size]


def nearest(similarity: dict[int, float], sampled: list[int], k: int) -> list[int]:
    """The k most similar ones; of equal ones, as float32, those that were sampled first."""
    positive = [n for n in sampled if similarity[n] > 0]
    highest = max(similarity.values(), default=1)
    return sorted(positive, key=lambda n: -np.float32(similarity[n] / highest))[:k]


def position(items: Sequence[int], item: int) -> int:
    """Of the latest click on the item, from 1."""
    return max(p for p, each in enumerate(items, 1) if each == item)


def idf(training: Training, item: int) -> float:
    return log(len(training) / sum(item in items for items, _ in training))


def s_knn(
    training: Training, session: Sequence[int], k: int, sample_size: int, similarity: str, remind: bool
) -> dict[int, float]:
    sampled, s = sample(training, session, sample_size), set(session)
    sim = {}
    for number in sampled:
        n = set(training[number][0])
        sim[number] = len(s & n) / (sqrt(len(s) * len(n)) if similarity == "cosine" else len(s | n))
    scores: dict[int, float] = defaultdict(float)
    for number in nearest(sim, sampled, k):
        for item in set(training[number][0]):
            if remind or item not in session:
                scores[item] += sim[number]
    return scores


def v_sknn(
    training: Training,
    session: Sequence[int],
    k: int,
    sample_size: int,
    similarity: str,
    weighting: str,
    weighting_score: str,
    idf_weighting: float,
    remind: bool,
) -> dict[int, float]:
    sampled, length = sample(training, session, sample_size), len(session)
    weight = {item: WEIGHTING[weighting](position(session, item), length) for item in session}
    sim = {}
    for number in sampled:
        n = set(training[number][0])
        sim[number] = sum(weight[item] for item in weight if item in n)
        if similarity == "cosine":
            sim[number] /= sqrt(sum(each**2 for each in weight.values()) * len(n))
    scores: dict[int, float] = defaultdict(float)
    for number in nearest(sim, sampled, k):
        n = training[number][0]
        steps = length - max(position(session, item) for item in session if item in n) + 1
        for item in set(n):
            if remind or item not in session:
                factor = 1 + idf_weighting * idf(training, item)
                scores[item] += sim[number] * WEIGHTING_SCORE[weighting_score](steps) * factor
    return scores


def stan(
    training: Training,
    session: Sequence[int],
    k: int,
    sample_size: int,
    lambda_spw: float | None,
    lambda_snh: float | None,
    lambda_inh: float | None,
    remind: bool,
    similarity: str = "cosine",
    lambda_ipw: float | None = None,
    lambda_idf: float = 0,
) -> dict[int, float]:
    """STAN; with the last three VSTAN."""

    def decay(distance: float, rate: float | None) -> float:
        return 1.0 if rate is None else exp(-distance / rate)

    now = max(time for _, time in training)  # any time after it would scale all sessions alike
    sampled, length = sample(training, session, sample_size), len(session)
    weight = {item: decay(length - position(session, item), lambda_spw) for item in session}
    sim = {}
    for number in sampled:
        items, time = training[number]
        sim[number] = sum(weight[item] for item in weight if item in items)
        if similarity == "cosine":
            sim[number] /= sqrt(sum(each**2 for each in weight.values()) * len(set(items)))
        sim[number] *= decay(now - time, lambda_snh)
    scores: dict[int, float] = defaultdict(float)
    for number in nearest(sim, sampled, k):
        n = training[number][0]
        latest_shared = max(position(n, item) for item in n if item in session)
        reach = decay(length - max(position(session, item) for item in session if item in n), lambda_ipw)
        for item in set(n):
            if remind or item not in session:
                gap = decay(abs(position(n, item) - latest_shared), lambda_inh)
                scores[item] += sim[number] * gap * reach * (1 + lambda_idf * idf(training, item))
    return scores
