"""A trial is reported to its study after each epoch, which may end it."""

from collections.abc import Callable

import pandas as pd
import pytest

from commands.conftest import Result
from prnn_cli.experiment import trial as trial_module
from prnn_cli.run_folder import RunFolder
from tuning.searches import FOLDER, SEARCH, trials

pytest.importorskip("optuna")

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]


def test_a_trial_that_is_below_the_median_is_pruned_and_stays_in_the_table(
    prnn: Prnn, monkeypatch: pytest.MonkeyPatch
) -> None:
    observers = trial_module.trial_observers

    def falling(search: object, folder: RunFolder) -> list[object]:
        """As if each trial were worse than the one before it."""
        (report,) = observers(search, folder)  # type: ignore[arg-type]
        worth = 0.5 ** int(folder.path.name.removeprefix("trial-"))
        return [lambda number, record, measured: report(number, record, {"mrr@20": worth})]

    monkeypatch.setattr("prnn_cli.commands.train.trial_observers", falling)
    arguments = [each for each in SEARCH if not each.startswith("search.prune")] + [
        "search.parallel=1",
        "search.trials=3",
    ]
    result = prnn(*arguments, "epochs=2", "search.prune_after_trials=1", "search.prune_after_epochs=0")
    assert result.exit_code == 0, result.err
    table = trials()
    assert list(table["state"]) == ["done", "pruned", "pruned"]
    assert list(table["epochs"]) == [2, 1, 1]
    assert table["mrr@20"].notna().all()
    assert RunFolder(FOLDER / "trial-1").status()["status"] == "pruned"


def test_the_value_of_a_trial_is_that_of_the_epoch_that_it_kept(prnn: Prnn) -> None:
    """At this rate the third epoch is worse than the second; nothing is refitted on what is ranked."""
    own = ["epochs=auto", "training.most_epochs=3", "recipe.learning_rate=0.4", "subnets.id.hidden_size=6"]
    assert prnn(*SEARCH, *own, "search.trials=1", "baselines=[popularity]").exit_code == 0
    epochs = pd.read_csv(FOLDER / "trial-0" / "epochs.csv")
    assert epochs["selected"].tolist() == [False, True, False]
    assert trials()["mrr@20"].tolist() == pytest.approx([epochs["mrr@20"].max()])
