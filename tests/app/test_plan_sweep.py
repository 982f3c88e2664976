"""A sweep of which a job cannot run is refused before the first job."""

from collections.abc import Callable
from pathlib import Path

import pytest

from commands.conftest import SMALL, Result

SWEEP = ["train", "-m", *SMALL, "epochs=1", "hydra.sweep.dir=runs/sweep", "table.figures=false"]


Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]


def test_all_jobs_of_a_sweep_are_checked_before_the_first_runs(prnn: Prnn) -> None:
    result = prnn("train", "-m", *SMALL, "recipe.dropout=0.1,1.5", "hydra.sweep.dir=runs/sweep")
    assert result.exit_code == 2
    assert "recipe.dropout=1.5 is too large; it must be below 1 (in the job" in result.err
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["experiment=table5"], "experiment=table5 does not exist; choose one of published_"),
        (
            ["experiment=smoke", "row=id_only,residual"],
            "row=residual does not exist; choose one of concatenated,",
        ),
        (
            ["experiment=smoke", "row=id_only", "recipe.dropout=0.1,0.2"],
            "let hydra.sweep.subdir tell them apart",
        ),
        (["seeds=0"], "seeds=0 is too small; it must be at least 1"),
        (["-m", "seeds=2", "seed=1,2"], "seeds=2 and a list of seeds both say which to run"),
    ],
)
def test_a_row_or_experiment_that_does_not_exist_is_refused(
    prnn: Prnn, arguments: list[str], sentence: str
) -> None:
    result = prnn("train", *arguments)
    assert result.exit_code == 2
    assert sentence in result.err
    assert not list(Path("runs").glob("*"))


def test_a_job_that_cannot_run_is_refused_before_the_first(prnn: Prnn) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    result = prnn(*SWEEP, "recipe.dropout=0.2,1.5", "hydra/launcher=joblib")
    assert result.exit_code == 2
    assert "recipe.dropout=1.5 is too large" in result.err
    assert not Path("runs").exists()


def test_jobs_do_not_go_with_a_launcher_that_has_its_own(prnn: Prnn) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    result = prnn(*SWEEP, "seed=1,2", "jobs=2", "hydra/launcher=joblib")
    assert result.exit_code == 2
    assert "jobs=… is of trainings on this machine, and joblib says by options of its own" in result.err


@pytest.mark.nightly
def test_hydras_list_of_jobs_is_left_out_where_prnn_tells_of_them(prnn: Prnn) -> None:
    result = prnn(*SWEEP, "seed=1,2")
    assert result.exit_code == 0
    assert "[2/2] seed=2: done" in result.err
    assert "Launching" not in result.err
    assert "Launching 2 jobs" in prnn("preprocess", "-m", *SMALL[:4], "dataset.test_days=1,2").err
