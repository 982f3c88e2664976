"""From the metric of each click to what is said: 60 sessions of two clicks, so that leads can be made by hand."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from prnn_cli.verdict.claims import CANNOT_TELL, HELPS
from prnn_cli.verdict.judging import Chosen, Judgement
from prnn_cli.verdict.measures import Events
from prnn_cli.verdict.rows import feature_row, id_rows

SESSIONS = 60
FRAME = pd.DataFrame(
    {
        "session_index": np.repeat(np.arange(SESSIONS), 2),
        "position": np.tile([1, 2], SESSIONS),
        "item_index": np.arange(2 * SESSIONS),
        "support": np.tile([3, 9], SESSIONS),  # the first click of each session is the rarer one
    }
)
NETWORK, OTHER = (feature_row(recipe, "parallel_res", "Parallel (res)") for recipe in ("modern", "paper"))
CONTROL, OTHER_CONTROL = (id_rows(recipe, 100, 30, True)[0] for recipe in ("modern", "paper"))
CHOSEN = Chosen(NETWORK, CONTROL, [(OTHER, OTHER_CONTROL)])


def judgement(network: Any, placebo: float = 0.25, failed: int = 0, **changes: Any) -> Judgement:
    """Each row's metric by position, (2,), with noise of clicks and seeds; network: of the p-RNN."""
    rng = np.random.default_rng(0)

    def values(by_position: Any) -> np.ndarray:
        means = np.broadcast_to(np.asarray(by_position, dtype=float), (2,))
        return np.tile(means, (3, SESSIONS)) + rng.normal(0, 0.02, (3, 2 * SESSIONS))

    rows = {NETWORK: values(network), CONTROL: values(0.2), OTHER: values(0.22), OTHER_CONTROL: values(0.2)}
    rows |= {row: values(placebo) for row in CHOSEN.placebos[failed:]}
    settings = {"metric": "mrr@20", "rare": 0.5, "looks": [3], "level": 0.05, "interest": 0.02} | changes
    baselines = {"Rules": np.full((1, 2 * SESSIONS), 0.5), "Popularity": np.full((1, 2 * SESSIONS), 0.1)}
    return Judgement(SimpleNamespace(**settings), CHOSEN, Events(FRAME), rows, baselines)  # type: ignore[arg-type]


def test_the_claims_are_about_all_clicks_and_the_rarer_half() -> None:
    everything, rare = judgement(network=[0.2, 0.6]).claims
    assert (everything.num_events, rare.num_events) == (2 * SESSIONS, SESSIONS)
    assert everything.answer == HELPS
    assert (
        everything.deciding.over == "itself with other items' features"
        or "itself" in everything.deciding.over
    )
    assert everything.deciding.value == pytest.approx(0.4 - 0.25, abs=0.01)
    assert rare.answer != HELPS, "there the p-RNN stands below its placebos"
    assert rare.deciding.value == pytest.approx(0.2 - 0.25, abs=0.01)


def test_content_is_beyond_placebos_and_capacity_is_what_these_have_beyond_ids() -> None:
    found = judgement(network=0.4)
    assert found.content.value == pytest.approx(0.4 - 0.25, abs=0.005)
    assert found.capacity.value == pytest.approx(0.25 - 0.2, abs=0.005)
    assert found.capacity.over == CONTROL.name


def test_without_a_placebo_that_failed_features_cannot_be_said_to_help() -> None:
    found = judgement(network=0.4, failed=1)
    assert found.missing == ["itself with other items' features"]
    assert len(found.claims[0].leads) == 4
    assert found.claims[0].answer == CANNOT_TELL


def test_slices_are_by_support_and_by_position() -> None:
    slices = judgement(network=[0.2, 0.6]).slices
    assert [(each.events, each.num_events) for each in slices] == [("3–9", 120), ("1", 60), ("2", 60)]
    assert [round(each.over_ids.value, 1) for each in slices] == [0.2, 0.0, 0.4]


def test_baselines_come_the_strongest_first_and_other_recipes_with_their_own_network_of_ids() -> None:
    found = judgement(network=0.4)
    assert [each.over for each in found.over_baselines] == ["Rules", "Popularity"]
    assert found.over_baselines[0].value == pytest.approx(-0.1, abs=0.005)
    ((name, lead),) = found.of_other_recipes
    assert (name, lead.over) == (OTHER.name, OTHER_CONTROL.name)
    assert lead.value == pytest.approx(0.02, abs=0.005)


def test_a_slice_of_few_sessions_is_no_claim(caplog: pytest.LogCaptureFixture) -> None:
    few = FRAME.assign(support=np.where(np.arange(2 * SESSIONS) < 40, 1, 9))  # the first 20 sessions
    found = judgement(network=0.4, rare=0.3)
    found = Judgement(found.settings, CHOSEN, Events(few), found.values, {})
    assert len(found.claims) == 1
    assert "too few sessions have clicks with rare targets" in caplog.text
    assert found.claims[0].leads[0].level == pytest.approx(0.025), (
        "that one of two claims was not made gains nothing"
    )
