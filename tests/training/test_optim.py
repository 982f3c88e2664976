import math

import pytest
import torch

from prnn_cli.batching import TableRows
from prnn_cli.training.optim import ADAM, LearningSettings, ParameterState, update_dense, update_rows


def slot(value: torch.Tensor, momentum: bool = False) -> ParameterState:
    return ParameterState(value, torch.zeros_like(value), torch.zeros_like(value) if momentum else None)


def test_adagrad_by_hand() -> None:
    """g = 3, then 4: acc is 9, then 25."""
    parameter = slot(torch.tensor([1.0]))
    settings = LearningSettings(learning_rate=0.5, momentum=0)
    update_dense(parameter, torch.tensor([3.0]), settings)
    assert parameter.value.item() == pytest.approx(1 - 0.5 * 3 / math.sqrt(9 + 1e-6))
    before = parameter.value.item()
    update_dense(parameter, torch.tensor([4.0]), settings)
    assert parameter.value.item() == pytest.approx(before - 0.5 * 4 / math.sqrt(25 + 1e-6))


def test_momentum_by_hand() -> None:
    """v = m v − step, p = p + v: with a zero gradient the parameter moves on by m v."""
    parameter = slot(torch.tensor([0.0]), momentum=True)
    settings = LearningSettings(learning_rate=1.0, momentum=0.5)
    update_dense(parameter, torch.tensor([2.0]), settings)
    assert parameter.value.item() == pytest.approx(-1)
    update_dense(parameter, torch.tensor([0.0]), settings)
    assert parameter.value.item() == pytest.approx(-1.5)


@pytest.mark.parametrize("momentum", [0.0, 0.3])
def test_rows_equal_the_dense_update_by_the_summed_gradient(momentum: float) -> None:
    """Rows 2 and 0 occur several times: gradients are summed before the one Adagrad step."""
    settings = LearningSettings(0.1, momentum)
    table = torch.randn(5, 3, dtype=torch.float64)
    rows, dense = slot(table.clone(), momentum > 0), slot(table.clone(), momentum > 0)
    items = torch.tensor([2, 0, 2, 4, 2, 0])
    first = torch.tensor([0, 1, 0, 3, 0, 1])
    for seed in range(3):
        gradient = torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        update_rows(rows, TableRows(items, first), gradient.clone(), settings)
        update_dense(dense, torch.zeros_like(table).index_add_(0, items, gradient), settings)
    torch.testing.assert_close(rows.value, dense.value)
    torch.testing.assert_close(rows.accumulator, dense.accumulator)


def test_untouched_rows_neither_move_nor_decay() -> None:
    settings = LearningSettings(0.1, 0.9)
    parameter = slot(torch.ones(3, 2), momentum=True)
    update_rows(parameter, TableRows(torch.tensor([0]), torch.tensor([0])), torch.ones(1, 2), settings)
    velocity = parameter.velocity.clone()
    before = parameter.value[0].clone()
    update_rows(parameter, TableRows(torch.tensor([1]), torch.tensor([0])), torch.ones(1, 2), settings)
    assert torch.equal(parameter.value[0], before)
    assert torch.equal(parameter.velocity[0], velocity[0])
    assert (parameter.value[2] == 1).all()
    assert (parameter.accumulator[2] == 0).all()


def test_adams_first_step_is_the_learning_rate_whatever_the_gradient_and_however_late() -> None:
    """m / (1 − β₁) = g and v / (1 − β₂) = g²: row 1 is touched for the first time after fifty steps of row 0."""
    settings = LearningSettings(0.1, 0.0, ADAM)
    table = ParameterState.initial(torch.zeros(3, 2, dtype=torch.float64), settings, is_table=True)
    for row in [0] * 50 + [1]:
        only = TableRows(torch.tensor([row]), torch.tensor([0]))
        update_rows(table, only, torch.tensor([[1e-3, -20.0]], dtype=torch.float64), settings)
    assert table.value[1].tolist() == pytest.approx([-0.1, 0.1], rel=1e-4)
    assert table.value[2].tolist() == [0, 0]
    assert table.count.flatten().tolist() == [50, 1, 0]


def test_adam_of_rows_follows_each_row_as_if_the_other_steps_were_not() -> None:
    """Against a dict a row, in which t, m and v change when the row is touched; rows repeat within a step."""
    settings = LearningSettings(0.1, 0.0, ADAM)
    table = ParameterState.initial(torch.ones(4, 2, dtype=torch.float64), settings, is_table=True)
    slow = [{"t": 0, "m": torch.zeros(2), "v": torch.zeros(2), "p": torch.ones(2)} for _ in range(4)]
    steps = [([2, 0, 2], [0, 1, 0]), ([2, 2, 2], [0, 0, 0]), ([0, 3, 2], [0, 1, 2]), ([3, 3, 0], [0, 0, 2])]
    for seed, (items, first) in enumerate(steps * 3):
        gradient = torch.randn(3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        update_rows(table, TableRows(torch.tensor(items), torch.tensor(first)), gradient.clone(), settings)
        for item in set(items):
            row, g = slow[item], sum(gradient[k] for k in range(3) if items[k] == item)
            row["t"] += 1
            row["m"] = 0.9 * row["m"] + 0.1 * g
            row["v"] = 0.999 * row["v"] + 0.001 * g**2
            m, v = row["m"] / (1 - 0.9 ** row["t"]), row["v"] / (1 - 0.999 ** row["t"])
            row["p"] = row["p"] - 0.1 * m / (v.sqrt() + 1e-8)
    torch.testing.assert_close(table.value, torch.stack([row["p"] for row in slow]), rtol=1e-10, atol=0)
    assert table.count.flatten().tolist() == [row["t"] for row in slow] == [9, 0, 9, 6]


def test_dense_adam_is_torchs() -> None:
    settings = LearningSettings(0.01, 0.0, ADAM)
    ours = ParameterState.initial(torch.ones(3, 2, dtype=torch.float64), settings, is_table=False)
    theirs = torch.ones(3, 2, dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([theirs], lr=0.01)
    for seed in range(20):
        theirs.grad = torch.randn(3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        update_dense(ours, theirs.grad.clone(), settings)
        adam.step()
    torch.testing.assert_close(ours.value, theirs.detach(), rtol=1e-9, atol=0)
