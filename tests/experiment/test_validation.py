"""The validation part is ranked after each epoch."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
import torch

from commands.conftest import SMALL, Result
from prnn_cli.experiment import validation
from prnn_cli.system.hardware import num_threads

RUN = "hydra.run.dir=runs/mine"

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]


def test_the_validation_part_is_ranked_after_each_epoch_by_the_subnets_that_score(prnn: Prnn) -> None:
    """Residual training: while the ID learns, the values are those of the same ID-only run; and nothing changes
    the training."""
    own = [argument for argument in SMALL if not argument.startswith(("arch", "subnets"))]
    own += ["dataset.validation_days=1", "units.each=8", "units.id=8"]
    assert prnn("train", *own, "arch=parallel", "strategy=residual", RUN).exit_code == 0
    assert prnn("train", *own, "arch=id_only", "hydra.run.dir=runs/id").exit_code == 0
    assert (
        prnn("train", *own, "arch=id_only", "evaluation.each_epoch=false", "hydra.run.dir=runs/not").exit_code
        == 0
    )
    both, alone, without = (pd.read_csv(f"runs/{name}/epochs.csv") for name in ("mine", "id", "not"))
    measured = ["loss", "recall@20", "mrr@20"]
    assert both[measured].head(2).equals(alone[measured])
    assert both["mrr@20"].nunique() == 4
    assert without["loss"].equals(alone["loss"])
    assert "mrr@20" not in without


def test_validation_takes_all_threads_and_measures_the_papers_cutoff(
    prnn: Prnn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training a small mini-batch takes one."""
    seen, evaluate = [], validation.evaluate_sharded

    def watched(*arguments: Any) -> Any:
        seen.append(torch.get_num_threads())
        return evaluate(*arguments)

    monkeypatch.setattr(validation, "evaluate_sharded", watched)
    own = ["dataset.validation_days=1", "evaluation.cutoffs=[5]", "hardware.threads=null"]
    with num_threads(2):
        assert prnn("train", *SMALL, *own, RUN).exit_code == 0
    assert seen == [2, 2]
    assert {"mrr@5", "mrr@20"} <= set(pd.read_csv("runs/mine/epochs.csv"))


def test_a_resumed_run_keeps_what_it_had_measured_on_the_validation_part(
    prnn: Prnn, cut_off: Callable[..., None]
) -> None:
    """Cut off at the end of its third epoch's steps: two are measured, the third is after the resumption."""
    long = [*SMALL, "dataset.validation_days=1", "epochs=4", "checkpoint.every_s=0"]
    cut_off(3, "train", *long, RUN)
    before = pd.read_csv("runs/mine/epochs.csv")
    assert len(before) == 2
    assert "resuming at phase 1, epoch 3" in prnn("train", *long, RUN, "resume=true").err
    epochs = pd.read_csv("runs/mine/epochs.csv")
    assert len(epochs) == 4
    assert epochs["mrr@20"].notna().all()
    assert epochs.head(2).equals(before)
