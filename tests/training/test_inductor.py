"""Compilation, and what later runs find of it."""

import torch
from torch import Tensor
from torch._dynamo.utils import counters

from prnn_cli.system.hardware import num_threads
from prnn_cli.training.inductor import compile_function


def add_rows(table: Tensor, rows: Tensor, values: Tensor) -> None:
    """In place, by both operations that are compiled by formulas of prnn's own."""
    table.index_add_(0, rows, torch.tanh(values))


def test_what_one_run_compiles_later_runs_find() -> None:
    rows = torch.arange(64) % 3
    values = torch.linspace(-3, 3, 64 * 5).reshape(64, 5)
    expected = torch.zeros(3, 5)
    add_rows(expected, rows, values)
    with num_threads(2):
        for _ in range(2):
            counters.clear()
            table = torch.zeros(3, 5)
            compile_function(add_rows, [table, rows, values])(table, rows, values)
            torch.testing.assert_close(table, expected, rtol=0, atol=1e-5)
    found = counters["aot_autograd"]["autograd_cache_hit"] + counters["inductor"]["fxgraph_cache_hit"]
    bypassed = counters["inductor"]["fxgraph_cache_bypass"]
    assert (found > 0, bypassed) == (True, 0)
