"""Initial values: uniform in ±sqrt(6 / (rows + columns)), each gate's block on its own, biases 0."""

import math

import torch
from torch import Tensor


def uniform(rows: int, columns: int, generator: torch.Generator) -> Tensor:
    bound = math.sqrt(6 / (rows + columns))
    return torch.empty(rows, columns).uniform_(-bound, bound, generator=generator)


def gate_blocks(rows: int, hidden_size: int, num_blocks: int, generator: torch.Generator) -> Tensor:
    """(rows, num_blocks · hidden_size)"""
    return torch.cat([uniform(rows, hidden_size, generator) for _ in range(num_blocks)], dim=1)
