"""prnn bench leaves every figure with what it belongs to."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.conftest import SMALL, Result

CASES = [
    "bench.steps=10",
    "bench.repeats=1",
    "bench.training=[{num_items: 1000, overrides: ['arch=parallel','strategy=residual','recipe.batch_size=8']}]",
    "bench.ranking=[{num_items: 1000, candidates: 100}]",
    "bench.baselines=[{name: s_knn, num_events: 1000, num_items: 100}]",
    "bench.forecasts=[]",
    "bench.preparation=[{num_events: 5000, num_items: 100}]",
]


def test_every_row_says_what_was_timed_and_how_near_to_its_floor(
    prnn: Callable[..., Result], workplace: Path
) -> None:
    done = prnn("bench", *CASES, "hardware=cpu", "hardware.compile=never", "hydra.run.dir=bench")
    assert done.exit_code == 0, done.err
    rows = json.loads((workplace / "bench/bench.json").read_text())
    assert [row["what"] for row in rows] == [
        "preparation of 5,105 events in a CSV",
        "S-kNN, fit on 1,043 events",
        "S-kNN, ranking",
        "ranking against 100 candidates",
        "step of id, parallel residual",
        "step of text, parallel residual",
        "epoch, parallel residual",
    ]
    steps = [row for row in rows if row["what"].startswith("step")]
    wanted = {"device", "hidden_size", "batch_size", "num_sampled", "num_items", "threads", "executor"}
    for row in steps:
        assert wanted <= row.keys()
        assert row["ratio"] == pytest.approx(row["us_per_step"] / row["floor_us"])
    assert all(row["events_per_s"] > 0 for row in rows)
    assert (workplace / "bench/bench.md").read_text().count("\n") == 2 + len(rows)
    assert "1,000 items, batch 8, 100+100 units, eager" in done.err
    assert "× floor" in done.out


def test_a_run_is_timed_beside_its_forecast(prnn: Callable[..., Result], workplace: Path) -> None:
    of_run = ",".join(f"'{each}'" for each in SMALL)
    kinds = [f"bench.{kind}=[]" for kind in ("training", "ranking", "baselines", "preparation")]
    done = prnn("bench", *kinds, f"bench.forecasts=[{{overrides: [{of_run}]}}]", "hydra.run.dir=bench")
    assert done.exit_code == 0, done.err
    (row,) = json.loads((workplace / "bench/bench.json").read_text())
    assert min(row["seconds"], row["forecast_s"]) > 0
    assert "forecast as " in done.out
