"""Training that diverges is noticed at a tick, and begins anew at lower rates."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from commands.conftest import SMALL, Result
from prnn_cli.errors import RunError
from prnn_cli.training import losses
from prnn_cli.training.divergence import DivergedError, lowered, refuse_far_above
from prnn_cli.training.step import Step
from small import batches_of, id_network, sessions_of

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]

# A rate at which scores, which nothing bounds, grow beyond all measure within a few steps; a quarter of it recovers.
WILD = [
    *SMALL,
    "recipe.loss=bpr_max",
    "recipe.activation=linear",
    "recipe.score_regularisation=1",
]
RATE = "recipe.learning_rate=4"


@pytest.mark.parametrize(("loss", "untrained"), [(9.9, 1.0), (1e9, 0.0), (5.0, -1.0), (1.0, math.inf)])
def test_what_is_no_divergence(loss: float, untrained: float) -> None:
    """Losses below ten times that of equal scores, or where that is no scale."""
    refuse_far_above(loss, untrained, "at step 256", ["id"])


def test_a_loss_far_above_that_of_equal_scores_is_told_with_what_to_change() -> None:
    with pytest.raises(DivergedError, match=r"^training diverges: the loss is 7.1 at step 256") as told:
        refuse_far_above(7.1, 0.7, "at step 256", ["id", "text"])
    assert "0.7 where all scores are 0; lower subnets.id.learning_rate or subnets.text" in str(told.value)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("top1", 1 - 0.5 / 5),
        ("bpr", math.log(2)),
        ("bpr_max", math.log(2)),
        ("cross_entropy", math.log(5)),
    ],
)
def test_the_loss_of_equal_scores(loss: str, expected: float) -> None:
    """Of two targets and three negatives."""
    network = id_network()
    batch = batches_of(network, sessions_of([0, 1, 2], [3, 4, 5]), 2, torch.tensor([1, 6, 7]))[0]
    assert Step(network, getattr(losses, loss), {}).loss_of_nothing(batch) == pytest.approx(
        expected, rel=1e-4
    )


def test_rates_are_halved_six_times_at_most_and_not_where_that_is_not_wanted() -> None:
    error, factor = DivergedError("training diverges"), 1.0
    for _ in range(6):
        factor = lowered(factor, error, may_lower=True)
    assert factor == 1 / 64
    with pytest.raises(RunError, match="training diverges; halving all learning rates 6 times did not help"):
        lowered(factor, error, may_lower=True)
    with pytest.raises(DivergedError, match=r"^training diverges$"):
        lowered(1.0, error, may_lower=False)


def test_a_run_that_diverges_begins_anew_and_says_so(prnn: Prnn) -> None:
    """It ends with the bits of a run that had the lower rate from the beginning."""
    result = prnn("train", *WILD, RATE, "hydra.run.dir=runs/mine")
    assert result.exit_code == 0
    assert "training begins anew with all learning rates times 0.5 (training.on_divergence=stop" in result.err
    metrics = json.loads(Path("runs/mine/metrics.json").read_text())
    factor = metrics["rate_factor"]
    assert factor < 1
    assert (
        f"all learning rates were lowered to {factor:g} of theirs" in Path("runs/mine/results.md").read_text()
    )
    low = [*WILD, f"recipe.learning_rate={4 * factor}", "hydra.run.dir=runs/low"]
    assert prnn("train", *low).exit_code == 0
    lower = json.loads(Path("runs/low/metrics.json").read_text())
    assert lower["rate_factor"] == 1
    assert lower["mrr@20"] == metrics["mrr@20"]
    stopped = prnn("train", *WILD, RATE, "training.on_divergence=stop")
    assert stopped.exit_code == 1
    assert "training diverges: the loss is" in stopped.err
