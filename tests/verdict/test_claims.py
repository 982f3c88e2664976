"""The statistics of a verdict, by hand, by simulation, and what follows from them."""

import numpy as np
import pytest

from prnn_cli.verdict.claims import CANNOT_TELL, DOES_NOT_HELP, HELPS, Lead, claim, lead
from prnn_cli.verdict.report import sentence

ONE_EVENT = np.ones(100)


def drawn(rng: np.random.Generator, gain: float, of_seeds: float, num_seeds: int = 3) -> np.ndarray:
    """Leads in 100 sessions of one event, by seed: noise of the sessions, of each seed, and of both."""
    sessions, seeds = rng.normal(0, 1, 100), rng.normal(0, of_seeds, (num_seeds, 1))
    return gain + sessions + seeds + rng.normal(0, 0.3, (num_seeds, 100))


def test_a_lead_by_hand() -> None:
    """Two sessions, of 1 and 3 events, and two seeds."""
    own, other = np.array([[1.0, 2.0], [1.0, 1.0]]), np.array([[0.0, 1.0], [0.0, 2.0]])
    found = lead(own, other, np.array([1, 3]), "it", level=0.05)
    by_seed = np.array([(3 - 1) / 4, (2 - 2) / 4])
    assert found.value == by_seed.mean() == 0.25
    # Mean leads of the sessions: 1 and 0, where 0.25 and 0.75 were to be expected of their events.
    of_sessions = ((1 - 0.25) ** 2 + (0 - 0.75) ** 2) * 2 / 1 / 4**2
    of_seeds = by_seed.var(ddof=1) / 2
    from scipy import stats

    freedom = (of_sessions + of_seeds) ** 2 / (of_sessions**2 / 1 + of_seeds**2 / 1)
    half = stats.t.ppf(0.975, freedom) * (of_sessions + of_seeds) ** 0.5
    assert (found.low, found.high) == (pytest.approx(0.25 - half), pytest.approx(0.25 + half))


@pytest.mark.parametrize("of_seeds", [0.0, 0.05, 0.3])
def test_intervals_hold_what_they_say(of_seeds: float) -> None:
    """Of 1,000 intervals at a level of 10 %, at most 12 % miss what is true, whether seeds or sessions vary more."""
    rng = np.random.default_rng(1)
    missed = 0
    for _ in range(1000):
        found = lead(drawn(rng, 0.2, of_seeds), np.zeros((3, 100)), ONE_EVENT, "it", level=0.1)
        missed += not found.low <= 0.2 <= found.high
    assert missed <= 120


def test_the_smallest_lead_that_would_have_been_seen_is_seen_in_about_four_of_five() -> None:
    rng = np.random.default_rng(2)
    smallest = np.mean(
        [lead(drawn(rng, 0, 0.02), np.zeros((3, 100)), ONE_EVENT, "it", 0.05).smallest for _ in range(200)]
    )
    seen = [
        lead(drawn(rng, smallest, 0.02), np.zeros((3, 100)), ONE_EVENT, "it", 0.05).low > 0
        for _ in range(500)
    ]
    assert 0.7 < np.mean(seen) < 0.9


def test_networks_that_rank_alike_have_no_lead() -> None:
    same = np.ones((3, 100))
    assert lead(same, same, ONE_EVENT, "it", 0.05) == Lead("it", 1, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("over_ids", "over_placebos", "answer", "decides"),
    [
        (0.3, 0.2, HELPS, "placebos"),
        (0.3, 0.0, CANNOT_TELL, "placebos"),
        (0.0, 0.3, CANNOT_TELL, "IDs"),
        (0.3, -0.3, DOES_NOT_HELP, "placebos"),
        (-0.3, 0.3, DOES_NOT_HELP, "IDs"),
    ],
)
def test_features_help_where_every_rival_is_led(
    over_ids: float, over_placebos: float, answer: str, decides: str
) -> None:
    rng = np.random.default_rng(3)
    own = 1 + rng.normal(0, 0.3, (3, 100))
    rivals = {
        "IDs": own - over_ids - rng.normal(0, 0.3, (3, 100)),
        "placebos": own - over_placebos - rng.normal(0, 0.3, (3, 100)),
    }
    found = claim("", own, rivals, {}, ONE_EVENT, level=0.05, interest=0.02)
    assert found.answer == answer
    assert found.deciding.over == decides


def test_sentences_say_what_decides_and_how_sure_it_is() -> None:
    rng = np.random.default_rng(4)
    own = np.full((3, 100), 0.5)
    told = {}
    for gain in (0.1, -0.1):
        found = claim("", own, {"IDs": own - gain}, {}, ONE_EVENT, 0.05, 0.02)
        told[gain] = sentence(found, "mrr@20", "p-RNN", 0.02)
    assert told[0.1].startswith(
        "Item features help: mrr@20 rises by +0.1000 (+0.1000 to +0.1000), +25.00%; p-RNN against"
    )
    assert told[-0.1].startswith(
        "Item features do not help: a gain of 0.0120 in mrr@20 (2%) is ruled out; p-RNN"
    )
    unsure = claim("some clicks", own, {"IDs": rng.normal(0.5, 1, (3, 100))}, {}, ONE_EVENT, 0.05, 0.02)
    assert "This log cannot tell whether item features help on some clicks" in sentence(
        unsure, "mrr@20", "p", 0.02
    )
    assert "would not have been seen" in sentence(unsure, "mrr@20", "p", 0.02)
