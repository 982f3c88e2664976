"""What a run will take: by hand, and of a small run."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from commands.conftest import SMALL, Result
from prnn_cli.experiment.forecast import ASSUMED_EPOCHS, Forecast, StageForecast
from prnn_cli.experiment.pace import pace_of
from prnn_cli.system.durations import shown_duration
from prnn_cli.training.state import Cursor

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]
P_RNN = [each for each in SMALL if not each.startswith(("arch=", "subnets."))] + ["units.each=12"]


def test_the_seconds_of_a_run_are_the_sum_of_its_parts() -> None:
    """Two stages of 3 and 2 rounds, of 10 and 20 s; ranking takes 1 s a round where a hold-out chooses."""
    parts = Forecast(
        preparing_s=5, compiling_s=7, stages=[StageForecast("id", 3, 10), StageForecast("text", 2, 20)],
        validating_s=0, ranking_s=4, peak_bytes=0, chosen=False, patience=0, refit=False, made_in_s=0,
    )  # fmt: skip
    assert parts.seconds == 5 + 7 + 30 + 40 + 4
    chosen = replace(parts, chosen=True, patience=3, validating_s=1, refit=True)
    searching = (3 + 3) * (10 + 1) + (2 + 3) * (20 + 1)
    assert chosen.seconds == 5 + 2 * 7 + searching + (30 + 40) + 4, "steps are compiled for each training"


def test_a_plan_tells_of_each_phase_and_leaves_nothing(prnn: Prnn, workplace: Path) -> None:
    told = prnn("train", *P_RNN, "epochs=4", "strategy=residual", "--plan", "hydra.run.dir=r")
    assert told.exit_code == 0, told.err
    assert "id: 4 epochs of" in told.out
    assert "text: 4 epochs of" in told.out
    assert "in all; peak memory" in told.out
    assert not Path("r").exists()
    assert not list(workplace.glob("runs/*"))


def test_where_a_hold_out_chooses_the_epochs_so_many_are_assumed(prnn: Prnn, workplace: Path) -> None:
    few = prnn(
        "train", *P_RNN, "epochs=auto", "strategy=residual", "dataset.min_ranked_events=1", "plan=it.json"
    )
    assert few.exit_code == 0, few.err
    assert "a hold-out chooses the epochs; 10 are assumed" in few.out
    found = json.loads(Path("it.json").read_text())
    assert [stage["rounds"] for stage in found["stages"]] == [ASSUMED_EPOCHS, ASSUMED_EPOCHS]
    assert (found["patience"], found["refit"]) == (3, True)
    assert found["seconds"] > 0
    assert found["peak_bytes"] > 10**8


def test_baselines_that_were_never_ranked_take_time_once(prnn: Prnn, workplace: Path) -> None:
    """Of another log than the other tests', with ranks that are nowhere yet, and then are."""
    log = [*P_RNN, "dataset.synthetic.num_sessions=401", "epochs=1", "baselines=[item_knn,markov]"]
    before = prnn("train", *log, "plan=before.json")
    assert before.exit_code == 0, before.err
    assert ", baselines " in before.out
    assert prnn("train", *log, "hydra.run.dir=r").exit_code == 0
    prnn("train", *log, "plan=after.json")
    found = [json.loads(Path(f"{when}.json").read_text()) for when in ("before", "after")]
    assert sorted(name.partition("-")[0] for name in found[0]["baselines"]) == ["item_knn", "markov"]
    assert found[1]["baselines"] == {}
    assert found[0]["seconds"] > found[0]["own_s"] > 0
    assert found[1]["seconds"] == found[1]["own_s"]


def test_a_plan_of_a_sweep_tells_of_each_run_and_leaves_nothing(prnn: Prnn, workplace: Path) -> None:
    told = prnn("train", "-m", *SMALL, "seed=1,2", "epochs=3", "plan=it.json", "hydra.sweep.dir=sweep")
    assert told.exit_code == 0, told.err
    rows = [line.split()[:2] for line in told.out.splitlines() if line.startswith("seed=")]
    assert rows == [["seed=1", "3"], ["seed=2", "3"]]
    assert "2 runs, 1 at a time: " in told.out
    found = json.loads(Path("it.json").read_text())
    assert list(found["runs"]) == ["seed=1", "seed=2"]
    assert found["seconds"] == pytest.approx(sum(run["own_s"] for run in found["runs"].values()), rel=0.5)
    assert sorted(each.name for each in workplace.iterdir()) == ["it.json"]


def test_a_plan_of_a_search_tells_of_all_its_trials(prnn: Prnn, workplace: Path) -> None:
    pytest.importorskip("optuna")
    told = prnn(
        "train", *SMALL, "search=id_only", "search.trials=7", "dataset.min_ranked_events=1", "plan=true"
    )
    assert told.exit_code == 0, told.err
    assert "7 trials, 1 at a time: " in told.out
    assert not list(workplace.iterdir())


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.04, "0.0 s"), (9.9, "9.9 s"), (42, "42 s"), (60, "1 min"), (200, "3 min 20 s"), (3660, "1 h 1 min")],
)
def test_durations_have_two_units_at_most(seconds: float, shown: str) -> None:
    assert shown_duration(seconds) == shown


def test_compiling_is_counted_once_where_an_epoch_is_shorter_than_a_tick() -> None:
    """Each tick takes as long as its steps, but the first one a minute more, in which the step is compiled."""
    clock = SimpleNamespace(now=0.0, ticks=0)

    def execute(state: object, batches: object, phase: object) -> None:
        clock.now += 3.0 + (60.0 if clock.ticks == 0 else 0.0)
        clock.ticks += 1

    def one_tick(cursor: Cursor) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(batches=SimpleNamespace(active=[1, 1, 1]))

    trainer = SimpleNamespace(
        phases=[None],
        ticks=SimpleNamespace(from_cursor=one_tick),
        executor=execute,
        begin_epoch=lambda state, phase: None,
    )
    state = SimpleNamespace(device=torch.device("cpu"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("prnn_cli.system.durations.time.perf_counter", lambda: clock.now)
        pace = pace_of(trainer, 0, state)
    assert (pace.compiling_s, pace.step_s) == (60.0, 1.0)
