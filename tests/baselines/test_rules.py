"""Association and sequential rules against the sums of their formulas, written with dicts and loops."""

from collections import Counter
from itertools import combinations, permutations
from math import log10

import numpy as np
import pytest

from prnn_cli.baselines import pairs_of_items, sequential_rules
from prnn_cli.baselines.association_rules import AssociationRules, AssociationRulesOptions
from prnn_cli.baselines.last_click import LastClickScorer
from prnn_cli.baselines.sequential_rules import SequentialRules, SequentialRulesOptions
from small import sessions_of

NUM_ITEMS = 30
WEIGHTINGS = {
    "same": lambda d: 1,
    "div": lambda d: 1 / d,
    "linear": lambda d: max(1 - 0.1 * d, 0),
    "log": lambda d: 1 / log10(d + 1.7),
    "quadratic": lambda d: 1 / d**2,
}


def slow_association_rules(sessions: list[list[int]]) -> Counter[tuple[int, int]]:
    rules: Counter[tuple[int, int]] = Counter()
    for session in sessions:
        for x, y in permutations(range(len(session)), 2):
            rules[session[x], session[y]] += 1
    return rules


def slow_sequential_rules(
    sessions: list[list[int]], steps: int, weighting: str
) -> dict[tuple[int, int], float]:
    rules: dict[tuple[int, int], float] = {}
    for session in sessions:
        for y, x in combinations(range(len(session)), 2):
            if x - y <= steps:
                pair = session[y], session[x]
                rules[pair] = rules.get(pair, 0) + WEIGHTINGS[weighting](x - y)
    return rules


def strongest_of(rules: dict[tuple[int, int], float], num_rules: int) -> dict[tuple[int, int], float]:
    kept: dict[tuple[int, int], float] = {}
    for item in range(NUM_ITEMS):
        of_item = [
            (-np.float32(value), other) for (each, other), value in rules.items() if each == item and value
        ]
        kept |= {(item, other): -value for value, other in sorted(of_item)[:num_rules]}
    return kept


def told_by(scorer: LastClickScorer) -> dict[tuple[int, int], float]:
    matrix = scorer.matrix.tocoo()
    return {(int(i), int(j)): float(v) for i, j, v in zip(*matrix.coords, matrix.data, strict=True)}


def random_lists(seed: int) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    return [(rng.beta(1, 2, n) * NUM_ITEMS).astype(int).tolist() for n in rng.integers(1, 15, 90)]


def test_association_rules_by_hand() -> None:
    log = sessions_of([0, 1], [0, 1, 1], [2, 0, 0], num_items=3)
    found = AssociationRules.fit(log, AssociationRulesOptions(num_rules=10)).matrix.toarray()
    # 0 stands beside a 1 once and twice, beside 2 twice, and beside itself in two orders.
    assert found.tolist() == [[2, 3, 2], [3, 2, 0], [2, 0, 0]]


def test_sequential_rules_by_hand() -> None:
    log = sessions_of([0, 1, 2], [0, 2], num_items=3)
    options = SequentialRulesOptions(steps=2, weighting="div", num_rules=10)
    found = SequentialRules.fit(log, options).matrix.toarray()
    assert found.tolist() == [[0, 1, 1.5], [0, 0, 1], [0, 0, 0]]


@pytest.mark.parametrize("pairs_a_block", [1, 100, 2**22])
@pytest.mark.parametrize("num_rules", [1, 4, 1000])
def test_association_rules_agree_with_loops(
    num_rules: int, pairs_a_block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairs_of_items, "PAIRS_A_BLOCK", pairs_a_block)
    sessions = random_lists(0)
    log = sessions_of(*sessions, num_items=NUM_ITEMS)
    found = told_by(AssociationRules.fit(log, AssociationRulesOptions(num_rules)))
    assert found == strongest_of(dict(slow_association_rules(sessions)), num_rules)


@pytest.mark.parametrize("pairs_a_block", [1, 100, 2**22])
@pytest.mark.parametrize(("steps", "num_rules"), [(1, 1000), (10, 5), (100, 1000)])
@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_sequential_rules_agree_with_loops(
    weighting: str, steps: int, num_rules: int, pairs_a_block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequential_rules, "PAIRS_A_BLOCK", pairs_a_block)
    sessions = random_lists(1)
    log = sessions_of(*sessions, num_items=NUM_ITEMS)
    found = told_by(SequentialRules.fit(log, SequentialRulesOptions(steps, weighting, num_rules)))
    expected = strongest_of(slow_sequential_rules(sessions, steps, weighting), num_rules)
    assert found == {pair: pytest.approx(value, rel=1e-6) for pair, value in expected.items()}


def test_rules_of_sessions_of_one_click_are_none() -> None:
    log = sessions_of([0], [1], num_items=3)
    assert told_by(AssociationRules.fit(log, AssociationRulesOptions(10))) == {}
    assert told_by(SequentialRules.fit(log, SequentialRulesOptions(3, "div", 10))) == {}
