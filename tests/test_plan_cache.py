"""The plan of a large log is kept; it is the one that would be made, and a damaged one is made again."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from prnn_cli import plan_cache
from prnn_cli.batching import SessionParallelPlan
from prnn_cli.data.prepare import PreparedData
from prnn_cli.plan_cache import training_plan
from small import random_sessions


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> PreparedData:
    monkeypatch.setattr(plan_cache, "WORTH_KEEPING", 20)
    nothing: Any = None
    return PreparedData(
        folder=nothing,
        data_hash="abc",
        summary={},
        train=random_sessions(seed=1, num_sessions=30),
        validation=None,
        test=nothing,
        item_ids=nothing,
        support=nothing,
        reused=False,
    )


def test_the_second_run_reads_what_the_first_one_planned(
    data: PreparedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = training_plan(data, 4, tmp_path)
    assert np.array_equal(first.positions, SessionParallelPlan.build(data.train, 4).positions)
    monkeypatch.setattr(SessionParallelPlan, "build", cast(Any, None))
    second = training_plan(data, 4, tmp_path)
    assert np.array_equal(second.positions, first.positions)
    assert second.num_active.tolist() == first.num_active.tolist()


def test_another_number_of_slots_and_other_data_have_plans_of_their_own(
    data: PreparedData, tmp_path: Path
) -> None:
    assert training_plan(data, 4, tmp_path).num_slots == 4
    assert training_plan(data, 3, tmp_path).num_slots == 3
    other = replace(data, data_hash="other", train=random_sessions(seed=2, num_sessions=40))
    assert training_plan(other, 4, tmp_path).sessions is other.train
    assert len(list((tmp_path / "plans").glob("*.safetensors"))) == 3


def test_a_damaged_plan_is_set_aside_and_made_again(
    data: PreparedData, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected = training_plan(data, 4, tmp_path).positions
    (file,) = (tmp_path / "plans").glob("*.safetensors")
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert np.array_equal(training_plan(data, 4, tmp_path).positions, expected)
    assert "is damaged" in caplog.text
    assert np.array_equal(training_plan(data, 4, tmp_path).positions, expected)


def test_the_plan_of_a_small_log_is_not_kept(data: PreparedData, tmp_path: Path) -> None:
    training_plan(replace(data, train=random_sessions(seed=1, num_sessions=10)), 4, tmp_path)
    assert not list(tmp_path.iterdir())
