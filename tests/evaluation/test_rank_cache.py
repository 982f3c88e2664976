import logging
from pathlib import Path

import numpy as np
import pytest

from prnn_cli.evaluation.rank_cache import RankCache
from prnn_cli.evaluation.ranking import Ranks
from prnn_cli.schema import EvaluationConfig
from small import sessions_of

SESSIONS = sessions_of([0, 1, 2], [3, 4])  # three events to predict
RANKS = Ranks(
    session=np.array([0, 0, 1]),
    position=np.array([1, 2, 1], dtype=np.int32),
    target=np.array([1, 2, 4], dtype=np.int32),
    better=np.array([0, 7, 2], dtype=np.int32),
    equal=np.array([0, 0, 5], dtype=np.int32),
)
KNN = {"num_neighbours": 100}


def settings(**changes: object) -> EvaluationConfig:
    defaults = {"part": "test", "cutoffs": [20], "candidates": "all", "tie_break": "conservative"}
    return EvaluationConfig(**{**defaults, **changes})


def cache(folder: Path, data_hash: str = "data", knn: dict[str, int] = KNN, **changes: object) -> RankCache:
    return RankCache.of(folder, data_hash, "item_knn", knn, settings(**changes))


def refuse() -> Ranks:
    raise AssertionError("ranked again")


def test_what_one_run_ranked_the_next_one_reads(tmp_path: Path) -> None:
    assert cache(tmp_path).get(SESSIONS, lambda: RANKS) is RANKS
    found = cache(tmp_path).get(SESSIONS, refuse)
    for name, values in vars(RANKS).items():
        np.testing.assert_array_equal(getattr(found, name), values)
        assert getattr(found, name).dtype == values.dtype


@pytest.mark.parametrize("changes", [{"cutoffs": [1, 5]}, {"tie_break": "median"}])
def test_cutoffs_and_tie_modes_share_ranks(changes: dict[str, object], tmp_path: Path) -> None:
    assert cache(tmp_path, **changes).file == cache(tmp_path).file


@pytest.mark.parametrize(
    "changes",
    [{"data_hash": "other"}, {"knn": {"num_neighbours": 50}}, {"candidates": 50_000}, {"part": "validation"}],
)
def test_what_ranks_depend_on_has_ranks_of_its_own(changes: dict[str, object], tmp_path: Path) -> None:
    assert cache(tmp_path, **changes).file != cache(tmp_path).file  # type: ignore[arg-type]


def test_a_damaged_file_is_told_and_ranked_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache(tmp_path).get(SESSIONS, lambda: RANKS)
    whole = cache(tmp_path).file.read_bytes()
    cache(tmp_path).file.write_bytes(whole[: len(whole) // 2])
    with caplog.at_level(logging.WARNING):
        assert cache(tmp_path).get(SESSIONS, lambda: RANKS) is RANKS
    assert "is damaged" in caplog.text
    assert cache(tmp_path).get(SESSIONS, refuse) is not RANKS


def test_ranks_of_other_sessions_are_not_taken(tmp_path: Path) -> None:
    cache(tmp_path).get(SESSIONS, lambda: RANKS)
    one_event = Ranks(**{name: values[:1] for name, values in vars(RANKS).items()})
    assert cache(tmp_path).get(sessions_of([0, 1]), lambda: one_event) is one_event
