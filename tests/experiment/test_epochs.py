"""epochs=auto: as many as a hold-out says, then anew on all that there is to train on."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.conftest import SMALL, Result, refusal
from prnn_cli.errors import UserError
from prnn_cli.experiment.settings import composed

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]

RUN = "hydra.run.dir=runs/mine"


@pytest.mark.parametrize(
    ("overrides", "epochs", "select", "patience", "refit", "validation_days"),
    [
        ([], 10, "last", None, False, 0),
        (["epochs=auto"], 30, "best", "auto", True, 1),
        (["epochs=auto", "dataset.test_days=3", "training.most_epochs=5"], 5, "best", "auto", True, 3),
        (["epochs=auto", "dataset.validation_days=2", "training.patience=4"], 30, "best", 4, True, 2),
        (["epochs=auto", "training.refit=false"], 30, "best", "auto", False, 1),
        (["epochs=auto", "evaluation.part=validation"], 30, "best", "auto", False, 1),
        (["recipe=cross_entropy"], 30, "best", "auto", True, 1),
        (["recipe=modern", "epochs=3"], 3, "last", None, False, 0),
        (["experiment=table2", "recipe=modern"], 10, "last", None, False, 0),
        (["row=id_only_20_epochs", "recipe=cross_entropy"], 20, "last", None, False, 0),
    ],
)
def test_auto_stands_for_a_choice_of_epochs_and_a_number_for_itself(
    overrides: list[str], epochs: int, select: str, patience: object, refit: bool, validation_days: int
) -> None:
    settings = composed("train", overrides)
    training = settings.training
    assert (settings.epochs, training.select, training.patience) == (epochs, select, patience)
    assert (training.refit, settings.dataset.validation_days) == (refit, validation_days)
    if "recipe=cross_entropy" in overrides:
        assert (settings.recipe.name, settings.subnets["id"].dropout) == ("cross_entropy", 0.2)


def test_epochs_of_the_environment_are_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPOCHS", "7")
    assert composed("train", ["epochs=${oc.env:EPOCHS}"]).epochs == 7


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("many", "epochs=many does not fit; epochs must be a whole number, or auto"),
        ("2.5", "epochs=2.5 does not fit; epochs must be a whole number, or auto"),
        ("null", "epochs=null does not fit; epochs must be a whole number, or auto"),
        ("true", "epochs=true does not fit; epochs must be a whole number, or auto"),
        ("0", "epochs=0 is too small; it must be at least 1"),
    ],
)
def test_other_epochs_are_refused(given: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        composed("train", [f"epochs={given}"])


def test_auto_does_not_keep_the_last_epochs() -> None:
    with pytest.raises(
        UserError, match=r"epochs=auto chooses the epochs, which training\.select=last forbids"
    ):
        composed("train", ["epochs=auto", "training.select=last"])


def test_a_run_of_auto_is_finished_and_gets_no_number_of_epochs(prnn: Prnn) -> None:
    own = [*SMALL, "training.most_epochs=2", "baselines=[popularity]", RUN]
    assert prnn("train", *own, "epochs=auto").exit_code == 0
    metrics = json.loads(Path("runs/mine/metrics.json").read_text())
    assert (metrics["epochs"], metrics["selected_epochs"]) == (2, [2])
    assert "this run is finished" in prnn("train", *own, "epochs=auto", "resume=true").err
    told = refusal(prnn("evaluate", "run=runs/mine", "evaluation.part=validation"))
    assert "run=runs/mine was trained on its validation part too" in told
    assert "epochs was auto and is now 9" in refusal(prnn("train", *own, "epochs=9", "resume=true"))


def test_a_log_without_room_for_a_hold_out_needs_a_number(prnn: Prnn) -> None:
    told = refusal(prnn("train", *SMALL, "epochs=auto", "dataset.synthetic.num_days=2"))
    assert (
        "epochs=auto chooses the epochs on a hold-out (dataset.validation_days=1), for which the log" in told
    )
    assert told.endswith("or give a number, such as epochs=10, which needs none")
