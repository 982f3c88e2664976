"""What a search prints at its end, of a study that is made by hand."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from prnn_cli.tuning.search_report import show_search

optuna = pytest.importorskip("optuna")
REASON = "the loss is not finite since step 1 of phase 1, epoch 1, while id learned; lower its learning rate"


def test_the_reason_of_a_failed_trial_stands_below_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = optuna.create_study(direction="maximize")
    space = {"recipe.dropout": optuna.distributions.FloatDistribution(0, 1)}
    study.add_trial(
        optuna.trial.create_trial(params={"recipe.dropout": 0.5}, distributions=space, value=0.25)
    )
    failed: Any = optuna.trial.TrialState.FAIL
    study.add_trial(
        optuna.trial.create_trial(params={"recipe.dropout": 0.1}, distributions=space, state=failed)
    )
    study.set_user_attr("failure of 1", REASON)
    search: Any = SimpleNamespace(metric="mrr@20", method=None, folder=str(tmp_path), name="mine")
    show_search(tmp_path, study, search)
    table, below = capsys.readouterr().out.split("\n\n")
    assert [line.split()[:2] for line in table.splitlines()[2:]] == [["0", "done"], ["1", "failed"]]
    assert max(map(len, table.splitlines())) < 80
    assert f"trial 1: {REASON}\n" in below
    assert "trial 0 is the best of 2" in below
