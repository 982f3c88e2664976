"""The statistics of a verdict, by hand, by simulation, and what follows from them."""

import numpy as np
import pytest
from scipy import stats

from prnn_cli.verdict.claims import (
    CANNOT_TELL,
    DOES_NOT_HELP,
    HELPS,
    Claim,
    Lead,
    SeedVariance,
    decided,
    difference,
    evidence,
)
from prnn_cli.verdict.sentences import sentence

ONE_EVENT = np.ones(100)


def lead(own: np.ndarray, other: np.ndarray, num_events: np.ndarray, level: float) -> Lead:
    return difference(own, other, num_events, "it", SeedVariance.of([own, other], num_events)).at(level)


def one_claim(own: np.ndarray, rivals: dict[str, np.ndarray], level: float = 0.05, told: str = "") -> Claim:
    return evidence(told, own, rivals, ONE_EVENT, interest=0.02).at(level)


def drawn(rng: np.random.Generator, gain: float, of_seeds: float, num_seeds: int = 3) -> np.ndarray:
    """Leads in 100 sessions of one event, by seed: noise of the sessions, of each seed, and of both."""
    sessions, seeds = rng.normal(0, 1, 100), rng.normal(0, of_seeds, (num_seeds, 1))
    return gain + sessions + seeds + rng.normal(0, 0.3, (num_seeds, 100))


def test_a_lead_by_hand() -> None:
    """Two sessions, of 1 and 3 events, and two seeds."""
    own, other = np.array([[1.0, 2.0], [1.0, 1.0]]), np.array([[0.0, 1.0], [0.0, 2.0]])
    events = np.array([1, 3])
    metric_of_own, metric_of_other = np.array([3, 2]) / 4, np.array([1, 2]) / 4
    # Mean leads of the sessions: 1 and 0, where 0.25 and 0.75 were to be expected of their events.
    of_sessions = ((1 - 0.25) ** 2 + (0 - 0.75) ** 2) * 2 / 1 / 4**2
    of_two = metric_of_own.var(ddof=1) + metric_of_other.var(ddof=1)
    # A third row, whose seeds vary more, or not at all: of both the mean counts, or what the two rows have themselves.
    for third, of_seeds in (
        ([[0.0, 0.0], [4.0, 0.0]], 2 * (of_two + 0.5) / 3 / 2),
        ([[1.0, 0.0]] * 2, of_two / 2),
    ):
        seeds = SeedVariance.of([own, other, np.array(third)], events)
        found = difference(own, other, events, "it", seeds).at(0.05)
        assert found.value == 0.25
        freedom = (of_sessions + of_seeds) ** 2 / (of_sessions**2 / 1 + of_seeds**2 / 3)
        half = stats.t.ppf(0.975, freedom) * (of_sessions + of_seeds) ** 0.5
        assert (found.low, found.high) == (pytest.approx(0.25 - half), pytest.approx(0.25 + half))


@pytest.mark.parametrize(
    "of_seeds", [0.05, *(pytest.param(each, marks=pytest.mark.nightly) for each in (0.1, 0.2)), 0.4]
)
def test_wrong_answers_are_as_rare_as_the_level_says_whatever_varies_more(of_seeds: float) -> None:
    """At the level that a verdict with two claims and two looks uses, 1.25 %, two-sided.

    Of 1,000 simulated tests against five rivals, of which one ranks as well, features "help" in 0.625 % by what is
    promised, and "do not help" in as many where all gains are of just the size of interest; 1.6 % would be three
    standard deviations more. Seeds vary from a quarter to 16 times as much as sessions.
    """
    helps, does_not = 0, 0
    for number in range(1000):
        rng = np.random.default_rng([int(100 * of_seeds), number])
        own, *others = (
            1 + rng.normal(0, 1, 100) / 2**0.5 + rng.normal(0, of_seeds * 3**0.5, (3, 1)) for _ in range(6)
        )
        others[0] = others[0] + 0.0
        far = {str(each): other - 5 for each, other in enumerate(others[1:])}
        known = evidence("", own, {"as good": others[0], **far}, ONE_EVENT, interest=0.0)
        helps += known.p_helps <= 0.0125
        rivals = {str(each): other for each, other in enumerate(others)}
        does_not += evidence("", own, rivals, ONE_EVENT, interest=0.0).p_does_not_help <= 0.0125
    assert helps <= 16
    assert does_not <= 16


def test_the_smallest_lead_that_would_have_been_seen_is_seen_in_about_four_of_five() -> None:
    rng = np.random.default_rng(2)
    smallest = np.mean(
        [lead(drawn(rng, 0, 0.02), np.zeros((3, 100)), ONE_EVENT, 0.05).smallest for _ in range(200)]
    )
    seen = [lead(drawn(rng, smallest, 0.02), np.zeros((3, 100)), ONE_EVENT, 0.05).low > 0 for _ in range(500)]
    assert 0.7 < np.mean(seen) < 0.9


def test_networks_that_rank_alike_have_no_lead() -> None:
    same = np.ones((3, 100))
    assert lead(same, same, ONE_EVENT, 0.05) == Lead("it", 1, 0, 0, 0, 0, 0.05)


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
    found = one_claim(own, rivals)
    assert found.answer == answer
    assert found.deciding.over == decides


def test_sentences_say_what_decides_and_how_sure_it_is() -> None:
    rng = np.random.default_rng(4)
    own = np.full((3, 100), 0.5)
    told = {}
    for gain in (0.1, -0.1):
        found = one_claim(own, {"IDs": own - gain})
        told[gain] = sentence(found, "mrr@20", "p-RNN", 0.02)
    assert told[0.1].startswith(
        "Item features help: mrr@20 rises by +0.1000 (+0.1000 to +0.1000), +25.00%; p-RNN against"
    )
    assert told[-0.1].startswith(
        "Item features do not help: a gain of 0.0120 in mrr@20 (2%) is ruled out; p-RNN"
    )
    unsure = one_claim(own, {"IDs": rng.normal(0.5, 1, (3, 100))}, told="some clicks")
    assert "This log cannot tell whether item features help on some clicks" in sentence(
        unsure, "mrr@20", "p", 0.02
    )
    assert "would have been seen four times in five" in sentence(unsure, "mrr@20", "p", 0.02)


def test_without_a_rival_it_cannot_be_told_that_features_help() -> None:
    own = np.full((3, 100), 0.5)
    for gain, answer, told in (
        (
            0.1,
            CANNOT_TELL,
            "cannot be told whether item features help, as noise could not be trained: mrr@20 differs",
        ),
        (-0.1, DOES_NOT_HELP, "Item features do not help"),
    ):
        found = one_claim(own, {"IDs": own - gain}).without_rivals(["noise"])
        assert found.answer == answer
        assert told in sentence(found, "mrr@20", "p-RNN", 0.02)


def test_p_values_and_intervals_say_the_same() -> None:
    rng = np.random.default_rng(5)
    for gain in (-0.4, 0.0, 0.2, 0.5):
        own, other = drawn(rng, gain, 0.05), np.zeros((3, 100))
        found = difference(own, other, ONE_EVENT, "it", SeedVariance.of([own, other], ONE_EVENT))
        for level in (0.01, 0.05, 0.2):
            assert (found.p_above(0) <= level) == (found.at(level).low >= 0)
            assert (found.p_below(0) <= level) == (found.at(level).high <= 0)


def test_holm_tests_the_surer_claim_first_and_the_next_one_at_a_larger_level() -> None:
    """Of two claims with p-values of .02 and .04 at a level of 5 % Holm decides both, Bonferroni the first alone; with
    .03 and .04 neither."""

    def with_p(p: float) -> np.ndarray:
        """A lead of this p-value: 100 sessions, of which seeds change nothing."""
        wave = np.tile([1.0, -1.0], 50)
        error = float((wave**2).sum() / 99) ** 0.5 / 10
        return np.tile(wave + stats.t.isf(p / 2, 99) * error, (3, 1))

    for p_values, answers in (((0.04, 0.02), [HELPS, HELPS]), ((0.03, 0.04), [CANNOT_TELL, CANNOT_TELL])):
        known = [evidence("", with_p(p), {"it": np.zeros((3, 100))}, ONE_EVENT, 0.0) for p in p_values]
        assert [each.p_helps for each in known] == pytest.approx(p_values)
        found = decided(known, level=0.05, num_claims=2)
        assert [each.answer for each in found] == answers
    first, second = (each.leads[0].level for each in decided(known[:1] * 2, 0.08, 2))
    assert (first, second) == (0.04, 0.08), "both at their level: the first at half of it"


def test_more_seeds_could_tell_what_seeds_alone_keep_apart() -> None:
    rng = np.random.default_rng(6)
    own = np.repeat([[0.1], [0.5], [0.6]], 100, axis=1) + rng.normal(0, 0.1, (3, 100))
    for seeds_vary, answer in ((True, CANNOT_TELL), (False, HELPS)):
        known = evidence("", own, {"it": np.zeros((3, 100))}, ONE_EVENT, 0.02, seeds_vary)
        assert known.at(0.05).answer == answer


def answers_of(gain: float, rivals: int, repeats: int, of_seeds: float = 0.1) -> list[str]:
    """Answers on simulated tests: a p-RNN that leads each rival by `gain`, where clicks reach 1."""
    rng, found = np.random.default_rng(7), []
    for _ in range(repeats):
        own = 1 + gain + drawn(rng, 0, of_seeds)
        others = {str(each): 1 + drawn(rng, 0, of_seeds) for each in range(rivals)}
        rare = slice(0, 40)
        known = [
            evidence(
                "", own[:, which], {key: each[:, which] for key, each in others.items()}, events[which], 0.02
            )
            for which, events in ((slice(None), ONE_EVENT), (rare, ONE_EVENT))
        ]
        found.append(decided(known, level=0.05, num_claims=2)[0].answer)
    return found


def test_wrong_answers_are_rare_and_large_effects_are_found() -> None:
    """Of 400 simulated verdicts, each against five rivals: without an effect at most 5 % say that features help, with
    one that should be seen four of five find it; with a gain of interest at most 5 % say that there is none."""
    assert answers_of(0.0, 5, 400).count(HELPS) <= 20
    assert answers_of(0.02, 5, 400).count(DOES_NOT_HELP) <= 20
    assert answers_of(0.8, 5, 400).count(HELPS) >= 320
