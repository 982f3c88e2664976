"""Initial values of matrices: uniform, where each gate's block has the bound of its own size."""

import math

import torch
from torch import Tensor


def uniform(rows: int, columns: int, generator: torch.Generator) -> Tensor:
    """A matrix (rows, columns), uniform in ±sqrt(6 / (rows + columns))."""
    bound = math.sqrt(6 / (rows + columns))
    return torch.empty(rows, columns).uniform_(-bound, bound, generator=generator)


def gate_blocks(rows: int, hidden_size: int, num_blocks: int, generator: torch.Generator) -> Tensor:
    """A matrix (rows, num_blocks · hidden_size): blocks side by side, each drawn as if it stood alone."""
    matrix = torch.empty(rows, num_blocks * hidden_size)
    # Not torch.cat, which on the meta device imports torch's compiler: a second and a half of each command's start.
    for block in matrix.chunk(num_blocks, dim=1):
        block.copy_(uniform(rows, hidden_size, generator))
    return matrix
