"""Adagrad with classical momentum, for dense parameters and for the rows of a table that a step touched.

acc ← acc + g²;  v ← m v − lr g / sqrt(acc + ε);  p ← p + v   (ε = 1e-6, as in the reference code)
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from prnn_cli.batching import TableRows

EPSILON = 1e-6


@dataclass(frozen=True)
class LearningSettings:
    """How fast a group of parameters learns, such as those of a subnet."""

    learning_rate: float
    momentum: float


@dataclass(frozen=True)
class ParameterState:
    """A parameter and what the optimiser remembers of it; `velocity` only where there is momentum."""

    value: Tensor
    accumulator: Tensor
    velocity: Tensor | None


def update_dense(parameter: ParameterState, gradient: Tensor, settings: LearningSettings) -> None:
    """Takes one step of a whole parameter, in place."""
    parameter.accumulator.addcmul_(gradient, gradient)
    step = gradient * (parameter.accumulator + EPSILON).rsqrt_().mul_(settings.learning_rate)
    if parameter.velocity is None:
        parameter.value.sub_(step)
    else:
        parameter.velocity.mul_(settings.momentum).sub_(step)
        parameter.value.add_(parameter.velocity)


def update_rows(
    parameter: ParameterState, rows: TableRows, gradient: Tensor, settings: LearningSettings
) -> None:
    """Takes one step of the touched rows of a table, in place; `gradient` is (n, D), one row for each of `rows`.

    A row that occurs several times takes one step by the sum of its gradients: they meet at its first occurrence, and
    every occurrence then writes the same bits, so that the order of the writes does not matter.
    """
    index = rows.index
    gradient = torch.zeros_like(gradient).index_add_(0, rows.first, gradient).index_select(0, rows.first)
    accumulator = parameter.accumulator.index_select(0, index).addcmul_(gradient, gradient)
    parameter.accumulator.index_copy_(0, index, accumulator)
    step = gradient.mul_(accumulator.add_(EPSILON).rsqrt_()).mul_(-settings.learning_rate)
    if parameter.velocity is not None:
        step.add_(parameter.velocity.index_select(0, index), alpha=settings.momentum)
        parameter.velocity.index_copy_(0, index, step)
    parameter.value.index_copy_(0, index, parameter.value.index_select(0, index).add_(step))
