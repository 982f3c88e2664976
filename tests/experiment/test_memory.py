from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from commands.conftest import SMALL, Result
from prnn_cli.errors import RunError
from prnn_cli.experiment import memory
from prnn_cli.experiment.memory import Need, memory_needs, shortage_explained
from prnn_cli.experiment.settings import composed
from prnn_cli.features.table import FeatureTable
from prnn_cli.training.state import TrainState
from small import CPU

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]

SOME = [Need("parameters", 3 << 30, "units.*"), Need("item features", 1 << 30, "the features' dimensions")]


def test_what_cannot_fit_is_refused_with_the_estimate_before_it_is_allocated(prnn: Prnn) -> None:
    """3 H² recurrent weights of a million units: 12 terabytes, and the accumulators, and the copy."""
    huge = [argument for argument in SMALL if not argument.startswith("subnets")]
    result = prnn("train", *huge, "subnets.id.hidden_size=1000000", "hydra.run.dir=runs/mine")
    assert result.exit_code == 2
    assert "training would take about 44" in result.err
    assert "GiB are free; lower subnets.*.hidden_size" in result.err
    assert prnn("train", *SMALL, "epochs=1", "hydra.run.dir=runs/mine").exit_code == 0  # the folder is free


def test_the_estimate_is_what_the_state_takes(prnn: Prnn, monkeypatch: pytest.MonkeyPatch) -> None:
    estimated: list[list[Need]] = []
    states: list[TrainState] = []
    needs_of, initial = memory.memory_needs, TrainState.initial

    def keep_needs(*arguments: object) -> list[Need]:
        estimated.append(needs_of(*arguments))  # type: ignore[arg-type]
        return estimated[-1]

    def keep_state(*arguments: object) -> TrainState:
        states.append(initial(*arguments))  # type: ignore[arg-type]
        return states[-1]

    monkeypatch.setattr("prnn_cli.commands.train.memory_needs", keep_needs)
    monkeypatch.setattr(TrainState, "initial", keep_state)
    assert prnn("train", *SMALL, "recipe.momentum=0.5", "epochs=1").exit_code == 0
    needs = {need.what: need.num_bytes for need in estimated[0]}
    (state,) = states
    for group, what in (("parameters", "parameters"), ("velocities", "velocities of momentum")):
        assert needs[what] == sum(4 * value.numel() for value in getattr(state, group).values())

    assert prnn("train", *SMALL, "recipe.optimiser=adam", "epochs=1").exit_code == 0
    needs, state = {need.what: need.num_bytes for need in estimated[1]}, states[1]
    moments_and_counts = [*state.velocities.values(), *state.counts.values()]
    assert needs["first moments and step counts of Adam"] == sum(
        4 * value.numel() for value in moments_and_counts
    )


def test_scores_of_the_whole_catalogue_are_part_of_the_estimate() -> None:
    sampled, whole = (
        {need.what: need.num_bytes for need in memory_needs(composed("train", given), 1_000_000, {}, CPU)}
        for given in (
            ["arch=id_only", "recipe=cross_entropy", *more] for more in ([], ["recipe.num_sampled=all"])
        )
    )
    assert sampled["scores and their gradients"] == 6 * 4 * 128 * (128 + 2048)
    assert whole["scores and their gradients"] == 6 * 4 * 128 * 1_000_000
    assert sampled["gradients of whole output tables"] == 0
    assert whole["gradients of whole output tables"] == 3 * 4 * 1_000_000 * 101


@pytest.mark.parametrize(("strategy", "tables"), [("alternating", 1), ("residual", 0), ("simultaneous", 0)])
def test_the_table_of_a_subnet_that_stands_still_is_part_of_the_estimate(strategy: str, tables: int) -> None:
    """That of the text's alone: a click on an ID is a row of a table as it is, and residual training ends with text."""
    settings = composed("train", ["arch=parallel", "features=text", "units.each=10", f"strategy={strategy}"])
    text = FeatureTable(
        "text", csr_array(([1.0], [0], [0, 1, 1, 1]), shape=(3, 4)), np.array([True, False, False])
    )
    needs = {need.what: need.num_bytes for need in memory_needs(settings, 3, {"text": text}, CPU)}
    assert needs["what clicks feed subnets that stand still"] == tables * 4 * 3 * 30


@pytest.mark.parametrize(
    "error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")]
)
def test_a_shortage_is_told_with_what_takes_how_much(error: Exception) -> None:
    with pytest.raises(RunError) as told, shortage_explained(SOME):
        raise error
    sentence, *table = str(told.value).splitlines()
    assert sentence.startswith("out of memory: training takes about 4.00 GiB")
    assert [line.split() for line in table] == [
        ["parameters", "3.000", "GiB", "lower", "units.*"],
        ["item", "features", "1.000", "GiB", "lower", "the", "features'", "dimensions"],
    ]


def test_other_errors_pass() -> None:
    with pytest.raises(RuntimeError, match="shapes"), shortage_explained(SOME):
        raise RuntimeError("shapes cannot be multiplied")
