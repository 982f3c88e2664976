"""Figures of a log that undermine conclusions: counted by eye on small logs, and by slow loops on a random one."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import astuple, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prnn_cli.baselines.markov import Markov
from prnn_cli.data.diagnostics import Change, diagnose, tied_and_repeated
from prnn_cli.data.prepare import PreparedData, prepare
from prnn_cli.data.sessions import Sessions
from prnn_cli.schema import DatasetConfig

DAY_S = 86_400
Prepared = Callable[..., PreparedData]


@pytest.fixture
def prepared(
    dataset_config: Callable[..., DatasetConfig], write_log: Callable[..., str], tmp_path: Path
) -> Prepared:
    """prepared(["a b", "c d"], ["a c"]): a session for each text, on the first day and on the second; events a second
    apart, or as late after the session's beginning as "a@0 b@0" says."""

    def make(train: list[str], test: list[str], **options: object) -> PreparedData:
        starts = [10 * n for n in range(len(train))] + [DAY_S + 10 * n for n in range(len(test))]
        rows = []
        for n, (start, session) in enumerate(zip(starts, [*train, *test], strict=True)):
            for place, event in enumerate(session.split()):
                item, _, offset = event.partition("@")
                rows.append(f"s{n} {item} {start + int(offset or place)}")
        dataset = dataset_config(path=write_log(*rows), min_item_support=1, **options)
        return prepare(dataset, tmp_path / "cache")

    return make


def test_tied_are_the_events_with_the_time_of_another_of_their_session(prepared: Prepared) -> None:
    """Three at one time, and two at another; not the first event of s2, a second after the last of s1."""
    data = prepared(["a@0 b@0 a@0 b@1 a@2 b@2", "a@0 b@10", "a@0 b@1"], ["a@0 b@1"])
    assert diagnose(data).tied == 5 / 12


def test_repeated_are_the_events_with_time_and_item_of_another_of_their_session(prepared: Prepared) -> None:
    """Of the first session the a at 0, between which b lies, and the b at 2; a and b at 1 differ in their items."""
    data = prepared(["a@0 b@0 a@0 a@1 b@1 b@2 b@2", "b@0 b@10"], ["a@0 b@1 a@2"])
    assert diagnose(data).repeated == 4 / 12


def test_ties_and_repeats_are_counted_across_the_blocks_of_a_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    session = np.repeat(np.arange(50_000), rng.integers(1, 8, 50_000))
    times, items = rng.integers(0, 6, len(session)).astype(float), rng.integers(0, 3, len(session))
    frame = pd.DataFrame({"session_index": session, "time": times, "item_index": items})
    frame = frame.sort_values(["session_index", "time"], ignore_index=True)
    frame.to_parquet(tmp_path / "events.parquet", row_group_size=10_000)
    tied, repeated = tied_and_repeated(tmp_path / "events.parquet")
    assert tied == frame.duplicated(["session_index", "time"], keep=False).mean()
    assert repeated == frame.duplicated(keep=False).mean()


def test_repeats_are_targets_on_the_last_item_or_on_one_of_the_session(prepared: Prepared) -> None:
    """Of the six targets b b a and c a c, one repeats the item before, three an item of the session."""
    data = prepared(["a b c"], ["a b b a", "a c a c"])
    found = diagnose(data)
    assert (found.same_as_last, found.in_session) == (1 / 6, 4 / 6)


def test_a_chain_hits_the_one_most_frequent_successor(prepared: Prepared) -> None:
    """After a, b came twice and c once; after d, e and f once each, so that none is the one; nothing came after b."""
    data = prepared(["a b", "a b", "a c", "d e", "d f"], ["a b", "a c", "d e", "b a"])
    found = diagnose(data)
    assert (found.chain, found.new_steps) == (1 / 4, 1 / 4)


def test_targets_are_rare_below_20_events_and_unseen_at_none(prepared: Prepared) -> None:
    train = ["a b"] * 19 + ["a c"]
    found = diagnose(prepared(train, ["a b", "b a", "a b a x"], keep_new_items=True))
    assert (found.rare, found.unseen, found.dropped) == (3 / 5, 1 / 5, 0)  # a is in 20, b in 19, x in none
    found = diagnose(prepared(train, ["a b", "b a", "a b a x"]))
    assert (found.rare, found.unseen, found.dropped) == (2 / 4, 0, 1 / 8)


def test_where_the_last_events_alone_are_ranked_they_alone_are_targets(prepared: Prepared) -> None:
    """Targets c, b and a: b is in its session already, and most often after b in training, where c never came after a,
    nor a after c. The last event of "a b x" is on an item that training does not hold."""
    found = diagnose(prepared(["a a c"], ["a b b b b", "b c a", "a b x"], split="leave_one_out"))
    assert (found.same_as_last, found.in_session, found.dropped) == (1 / 3, 1 / 3, 1 / 4)
    assert (found.chain, found.new_steps) == (1 / 3, 2 / 3)
    assert found.is_later is False


def test_where_training_holds_the_events_of_test_sessions_too_each_tie_counts_once(
    prepared: Prepared,
) -> None:
    """Of the seven events three are tied, the last two of which are left out of training."""
    found = diagnose(prepared(["a@0 b@0 c@1 a@2", "a@0 b@1 a@2"], [], split="leave_one_out"))
    assert found.tied == 2 / 7
    found = diagnose(prepared(["a@0 b@1 c@1 a@1", "a@0 b@1 a@2"], [], split="leave_one_out"))
    assert found.tied == 3 / 7


def test_drift_is_counted_of_windows_of_as_many_sessions(prepared: Prepared) -> None:
    """The windows: a a, b c | a b, d d | a c, d d; before them e f.

    In the test window c is absent from the window before, and d is new in that: of four events one and two. Beside a, b
    and two d, one of the four would have to change its item. A window earlier d d is new, and of a b, one half of
    which is a, the one before has a half of a and a quarter of b, so that a quarter has to change.
    Dealt alternately, a b and a c make one half, and d d and d d the other.
    """
    drift = diagnose(prepared(["e f", "a a", "b c", "a b", "d d"], ["a c", "d d"])).drift
    assert drift is not None
    assert drift.sessions == 2
    assert drift.test == Change(new=0, absent=1 / 4, late=2 / 4, distance=1 / 4)
    assert drift.earlier == Change(new=2 / 4, absent=0, late=1, distance=1 / 4)
    assert drift.chance == 1


def test_a_log_that_stays_as_it_is_drifts_no_more_than_by_chance_and_one_that_moves_does(
    prepared: Prepared,
) -> None:
    rng = np.random.default_rng(1)

    def sessions(number: int, first: int) -> list[str]:
        return [" ".join(f"i{item}" for item in first + rng.integers(0, 30, 4)) for _ in range(number)]

    still = diagnose(prepared(sessions(300, 0), sessions(60, 0))).drift
    assert still is not None
    assert abs(still.test.distance - still.chance) < 0.1
    assert abs(still.test.distance - still.earlier.distance) < 0.1
    moved = diagnose(prepared(sessions(20, 15) + sessions(300, 0), sessions(60, 15))).drift
    assert moved is not None
    assert moved.test.distance > moved.chance + 0.2


def test_where_parts_lie_side_by_side_or_times_are_none_there_is_no_drift(prepared: Prepared) -> None:
    data = prepared(["a b", "a b", "b a"], ["a b", "b a"])
    found = diagnose(data)
    assert found.is_later
    assert found.drift is not None
    beside = replace(data, test=replace(data.test, session_index=np.array([0, 2])))
    found = diagnose(replace(beside, train=replace(data.train, session_index=np.array([1, 3, 4]))))
    assert found.is_later is False
    assert found.drift is None
    found = diagnose(replace(data, summary=data.summary | {"first": 0.0, "last": 0.0}))
    assert (found.tied, found.repeated, found.is_later, found.drift) == (None, None, None, None)


def test_two_training_sessions_are_the_least_to_compare_with(prepared: Prepared) -> None:
    assert diagnose(prepared(["a b"], ["a b"])).drift is None
    drift = diagnose(prepared(["a b", "b c"], ["a b"])).drift
    assert drift is not None
    assert (drift.sessions, drift.test.distance, drift.chance) == (1, 1 / 2, 1 / 2)


def test_a_test_part_of_new_items_alone_has_no_drift(prepared: Prepared) -> None:
    found = diagnose(prepared(["a b", "b c"], ["x y", "y x"], keep_new_items=True))
    assert (found.unseen, found.drift) == (1, None)


@pytest.fixture
def random_data(prepared: Prepared) -> PreparedData:
    rng = np.random.default_rng(2)

    def sessions(number: int, num_items: int) -> list[str]:
        items = [(rng.pareto(1, rng.integers(2, 9)) * 3 % num_items).astype(int) for _ in range(number)]
        return [" ".join(f"i{item}@{rng.integers(0, 9)}" for item in session) for session in items]

    return prepared(sessions(400, 40), sessions(150, 45), keep_new_items=True)


def test_figures_are_those_of_slow_loops(random_data: PreparedData) -> None:
    train, test = _lists(random_data.train), _lists(random_data.test)
    support = Counter(item for session in train for item in session)
    followers: dict[int, Counter[int]] = defaultdict(Counter)
    for session in train:
        for before, item in pairwise(session):
            followers[before][item] += 1
    counts: Counter[str] = Counter()
    for session in test:
        for place in range(1, len(session)):
            before, item = session[place - 1], session[place]
            most = followers[before].most_common(2)
            counts["ranked"] += 1
            counts["same"] += before == item
            counts["in session"] += item in session[:place]
            counts["rare"] += support[item] < 20
            counts["unseen"] += support[item] == 0
            counts["new"] += item not in followers[before]
            if most and most[0][0] == item and (len(most) == 1 or most[0][1] > most[1][1]):
                counts["chain"] += 1
    found = diagnose(random_data)
    names = ("same", "in session", "rare", "unseen", "chain", "new")
    assert [
        found.same_as_last,
        found.in_session,
        found.rare,
        found.unseen,
        found.chain,
        found.new_steps,
    ] == pytest.approx([counts[name] / counts["ranked"] for name in names], abs=1e-12)
    assert min(counts.values()) > 0  # each case occurs


def test_the_chains_share_is_recall_at_1_of_the_baseline(random_data: PreparedData) -> None:
    scores = Markov.fit(random_data.train).matrix.toarray()
    hits = [
        (scores[before] >= scores[before][item]).sum() == 1
        for session in _lists(random_data.test)
        for before, item in pairwise(session)
    ]
    assert diagnose(random_data).chain == pytest.approx(np.mean(hits), abs=1e-12)


def test_drift_is_that_of_slow_loops(random_data: PreparedData) -> None:
    train, test = _lists(random_data.train), _lists(random_data.test)
    drift = diagnose(random_data).drift
    assert drift is not None
    assert drift.sessions == 150
    for change, slow in (
        (drift.test, _slow_change(test, train[-150:], train)),
        (drift.earlier, _slow_change(train[-150:], train[-300:-150], train[:-150])),
    ):
        assert astuple(change) == pytest.approx(astuple(slow))
    known = _counts(train)
    halves = [_counts(train[-150:][n::2] + test[n::2]) for n in (0, 1)]
    assert drift.chance == pytest.approx(
        _distance(*({item: half[item] for item in half if item in known} for half in halves))
    )


def _lists(sessions: Sessions) -> list[list[int]]:
    return [part.tolist() for part in np.split(sessions.items, sessions.offsets[1:-1])]


def _counts(sessions: list[list[int]]) -> Counter[int]:
    return Counter(item for session in sessions for item in session)


def _slow_change(window: list[list[int]], before: list[list[int]], known: list[list[int]]) -> Change:
    counts, counts_before, counts_known = _counts(window), _counts(before), _counts(known)
    old = {item: count for item, count in counts.items() if counts_known[item]}
    num_old = sum(old.values())
    return Change(
        new=1 - num_old / counts.total(),
        absent=sum(count for item, count in old.items() if not counts_before[item]) / num_old,
        late=sum(count for item, count in old.items() if counts_before[item] == counts_known[item]) / num_old,
        distance=_distance(old, counts_before),
    )


def _distance(a: dict[int, int], b: dict[int, int]) -> float:
    num_a, num_b = sum(a.values()), sum(b.values())
    return sum(abs(a.get(item, 0) / num_a - b.get(item, 0) / num_b) for item in {*a, *b}) / 2
