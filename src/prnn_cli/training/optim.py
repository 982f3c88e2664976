"""The optimisers, for dense parameters and for the rows of a table that a step touched.

Adagrad with classical momentum: acc ← acc + g²;  v ← m v − lr g / sqrt(acc + ε);  p ← p + v   (ε = 1e-6, as in the
reference code). Adam: `adam_step`.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from prnn_cli.batching import TableRows

EPSILON = 1e-6
ADAM = "adam"
# Adam's decay rates of the two moments and its ε, as published.
BETA_1, BETA_2, ADAM_EPSILON = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class LearningSettings:
    """How a group of parameters learns, such as those of a subnet. Adam has no `momentum` but its own."""

    learning_rate: float
    momentum: float
    optimiser: str = "adagrad"

    @property
    def has_velocity(self) -> bool:
        """Whether steps remember the direction of those before them."""
        return self.momentum > 0 or self.counts_steps

    @property
    def counts_steps(self) -> bool:
        return self.optimiser == ADAM


@dataclass(frozen=True)
class ParameterState:
    """A parameter and what the optimiser remembers of it.

    accumulator: Adagrad's sum of squares, or Adam's second moment
    velocity: of momentum, or Adam's first moment; only where there is one
    count: the steps that Adam has taken, () of a dense parameter, (N, 1) of a table's rows
    """

    value: Tensor
    accumulator: Tensor
    velocity: Tensor | None
    count: Tensor | None = None

    @classmethod
    def initial(cls, value: Tensor, settings: LearningSettings, is_table: bool) -> "ParameterState":
        """A parameter of which no step has been taken."""
        count_shape = (len(value), 1) if is_table else ()
        # Not zeros_like: of a tensor without values, it has torch import sympy, which takes half a second.
        return cls(
            value,
            accumulator=value.new_zeros(value.shape),
            velocity=value.new_zeros(value.shape) if settings.has_velocity else None,
            count=value.new_zeros(count_shape, dtype=torch.int32) if settings.counts_steps else None,
        )

    def moments(self) -> tuple[Tensor, Tensor, Tensor]:
        """Adam's memory: the first and the second moment, and the steps that they are of."""
        assert self.velocity is not None
        assert self.count is not None
        return self.velocity, self.accumulator, self.count


def update_dense(parameter: ParameterState, gradient: Tensor, settings: LearningSettings) -> None:
    """Takes one step of a whole parameter, in place."""
    if parameter.count is not None:
        first, second, count = parameter.moments()
        parameter.value.add_(adam_step(gradient, first, second, count, settings.learning_rate))
        return
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
    take = _adagrad_step_of_rows if parameter.count is None else _adam_step_of_rows
    step = take(parameter, index, gradient, settings)
    parameter.value.index_copy_(0, index, parameter.value.index_select(0, index).add_(step))


def _adagrad_step_of_rows(
    parameter: ParameterState, index: Tensor, gradient: Tensor, settings: LearningSettings
) -> Tensor:
    """The step (n, D) of the rows `index` of a table, with what Adagrad and momentum remember of it updated."""
    accumulator = parameter.accumulator.index_select(0, index).addcmul_(gradient, gradient)
    parameter.accumulator.index_copy_(0, index, accumulator)
    step = gradient.mul_(accumulator.add_(EPSILON).rsqrt_()).mul_(-settings.learning_rate)
    if parameter.velocity is not None:
        step.add_(parameter.velocity.index_select(0, index), alpha=settings.momentum)
        parameter.velocity.index_copy_(0, index, step)
    return step


def _adam_step_of_rows(
    parameter: ParameterState, index: Tensor, gradient: Tensor, settings: LearningSettings
) -> Tensor:
    """The step (n, D) of the rows `index` of a table, with what Adam remembers of it updated."""
    first, second, count = (each.index_select(0, index) for each in parameter.moments())
    step = adam_step(gradient, first, second, count, settings.learning_rate)
    for whole, part in zip(parameter.moments(), (first, second, count), strict=True):
        whole.index_copy_(0, index, part)
    return step


def adam_step(gradient: Tensor, first: Tensor, second: Tensor, count: Tensor, learning_rate: float) -> Tensor:
    """Adam's step, with the moments and the count updated in place (Kingma and Ba, 2015, algorithm 1).

    t ← t + 1;  m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;  −lr m / (1 − β₁ᵗ) / (sqrt(v / (1 − β₂ᵗ)) + ε)

    count: t, of the whole parameter or of each row: a row's moments are those of the steps that touched it, so their
    bias is too, and its first step is lr in each direction, however late it comes
    """
    count.add_(1)
    first.mul_(BETA_1).add_(gradient, alpha=1 - BETA_1)
    second.mul_(BETA_2).addcmul_(gradient, gradient, value=1 - BETA_2)
    steps = count.to(gradient.dtype)
    # 1 − βᵗ, to four digits at least: expm1 has more, but compilers repeat it for each value of a row, where it takes a
    # fifth of a step.
    bias_1, bias_2 = (1 - torch.exp(steps * math.log(beta)) for beta in (BETA_1, BETA_2))
    # Multiplied by sqrt(1 − β₂ᵗ) above and below, so that each value is divided once.
    correction = bias_2.sqrt()
    return first * (correction / bias_1 * -learning_rate) / (second.sqrt() + correction * ADAM_EPSILON)
