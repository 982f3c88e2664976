"""Slices against a loop over resamples, sessions and events that is written from the definitions."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prnn_cli.reporting.comparison import Comparison
from prnn_cli.reporting.runs import Row, read_run
from prnn_cli.reporting.slices import MIN_SESSIONS, POSITION, SUPPORT, Slice
from reporting.runs_on_disk import table_config, three_rows, write_run

RESAMPLES = 300


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """60 sessions of 1 to 4 events; the p-RNN gains on rare items and loses on popular ones."""
    folder, rng = tmp_path_factory.mktemp("slices"), np.random.default_rng(1)
    lengths = rng.integers(1, 5, 60)
    events = pd.DataFrame(
        {
            "session_index": np.repeat(np.arange(60), lengths),
            "position": np.concatenate([np.arange(1, length + 1) for length in lengths]),
        }
    )
    events["item_index"] = events["support"] = rng.integers(1, 100, len(events))
    rare = events["support"] < 50
    ranks = {
        "weak": rng.integers(1, 70, len(events)),
        "strong": rng.integers(1, 40, len(events)),
        "p-RNN": np.where(rare, rng.integers(1, 10, len(events)), rng.integers(20, 60, len(events))),
    }
    rows = []
    for name, values in ranks.items():
        arch = {"arch": "parallel", "hidden_size": "8+8"} if name == "p-RNN" else {}
        run = read_run(write_run(folder / name, values.tolist(), events=events, metrics=["recall"], **arch))
        rows.append(Row(name, runs=[run]))
    return Comparison(rows, table_config(resamples=RESAMPLES, confidence=0.8))


def slice_of(comparison: Comparison, by: str) -> Slice:
    return next(each for each in comparison.slices if (each.metric, each.by) == ("recall@20", by))


def slow(comparison: Comparison, chosen: np.ndarray) -> tuple[list[float], dict[str, list[float]]]:
    """Of the `chosen` events, the share of hits by each row, and the same in every resample of the sessions."""
    events = comparison.measures.events.reset_index(drop=True)
    sessions = sorted(set(events["session_index"]))
    by_session = {s: [e for e in events.index[events["session_index"] == s] if chosen[e]] for s in sessions}
    hits = {name: comparison.measures.values[name, "recall@20"] for name in ("weak", "strong", "p-RNN")}
    rng = np.random.default_rng(0)
    drawn: dict[str, list[float]] = {name: [] for name in hits}
    for _ in range(RESAMPLES):
        again = [event for s in rng.integers(60, size=60) for event in by_session[sessions[s]]]
        for name, values in hits.items():
            drawn[name].append(sum(float(values[event]) for event in again) / len(again))
    own = [event for events_of in by_session.values() for event in events_of]
    return [sum(float(values[e]) for e in own) / len(own) for values in hits.values()], drawn


@pytest.mark.parametrize("by", [SUPPORT, POSITION])
def test_values_intervals_differences_and_p_are_those_of_a_loop(comparison: Comparison, by: str) -> None:
    found = slice_of(comparison, by)
    assert found.resamples == RESAMPLES
    measures = comparison.measures
    bins = measures.support_bins() if by == SUPPORT else measures.position_bins()
    assert bins is not None
    raw: dict[tuple[str, str], float] = {}
    tested = [name for name in found.bins if found.sessions[name] >= MIN_SESSIONS]
    assert len(tested) >= 3
    for name in tested:
        means, drawn = slow(comparison, (bins == name).to_numpy())
        assert [found.means[row, name] for row in drawn] == pytest.approx(means)
        for row, over in (("weak", "strong"), ("p-RNN", "strong")):
            samples = np.array(drawn[row]) - np.array(drawn[over])
            other_side = min(sum(samples <= 0), sum(samples >= 0))
            raw[row, name] = min(1.0, 2 * (1 + other_side) / (1 + RESAMPLES))
            difference = found.differences[row, name]
            assert difference.over == over
            bounds = np.quantile(samples, [0.1, 0.9])
            assert (difference.low, difference.high) == pytest.approx(tuple(bounds))
        low, high = found.intervals["p-RNN", name]
        assert (low, high) == pytest.approx(tuple(np.quantile(drawn["p-RNN"], [0.1, 0.9])))
    # Holm: the i-th smallest of n times n − i + 1, never below the one before it; the family is the whole slice.
    least, left = 0.0, len(raw)
    assert left == len(found.differences) == 2 * len(tested)
    for key in sorted(raw, key=lambda key: raw[key]):
        least, left = max(least, min(1.0, raw[key] * left)), left - 1
        assert found.differences[key].p == pytest.approx(least)


def test_a_large_family_is_resampled_until_a_gain_on_rare_and_a_loss_on_popular_items_both_show(
    comparison: Comparison,
) -> None:
    """Two rows and five bins: of 300 resamples the smallest p, 2 / 301, would be 0.066 after Holm."""
    found = slice_of(Comparison(comparison.rows, table_config(resamples=RESAMPLES)), SUPPORT)
    assert found.resamples == 800
    assert found.differences["p-RNN", found.bins[0]].mark(0.05) == "*"
    assert found.differences["p-RNN", found.bins[-1]].mark(0.05) == "†"


def test_bins_of_few_sessions_have_means_alone(tmp_path: Path) -> None:
    """One session has no variance in any resample, and would make the smallest p there is."""
    few = three_rows(tmp_path)
    for each in few.slices:
        assert max(each.sessions.values()) < MIN_SESSIONS
        assert each.means
        assert each.intervals == each.differences == {}
