import math

import pytest
import torch

from prnn_cli.batching import TableRows
from prnn_cli.training.optim import LearningSettings, ParameterState, update_dense, update_rows


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
