"""Compilation of a function that changes tensors in place, as a whole, by torch's Inductor."""

import warnings
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx

from prnn_cli.loading import loading

Compiled = Callable[..., Any]
aten = torch.ops.aten


def compile_function(function: Callable[..., None], arguments: list[Tensor]) -> Compiled:
    """The same function, compiled for arguments of these shapes and types, which it does not check.

    It is for torch's present number of threads, too. Raises whatever a compiler may raise.
    """
    with loading():
        import torch._inductor.compile_fx  # it takes seconds: before what traces imports parts of it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, about torch
        with torch.autograd.set_multithreading_enabled(False):  # CUDA's other thread would not be traced
            formulas = _formulas(arguments[0].device)
            traced = make_fx(function, decomposition_table=formulas, tracing_mode="fake")(*arguments)
        return by_inductor(traced, arguments)


def _formulas(device: torch.device) -> dict[Any, Callable[..., Tensor]]:
    """What the trace holds instead of some operations.

    Inductor would take them as well, but keeps nothing for later runs that it compiles by formulas of others.
    """
    if device.type != "cpu":
        return {}
    if torch.get_num_threads() == 1:
        return {aten.tanh.default: tanh}
    return {aten.tanh.default: tanh, aten.index_add.default: index_add, aten.index_add_.default: index_add_}


def by_inductor(traced: GraphModule, arguments: list[Tensor]) -> Compiled:
    """What `traced` computes, as machine code that gives the same bits at every call."""
    from torch._inductor.compile_fx import compile_fx

    # The tensors without values that it was traced with: of others, Inductor does not look up what earlier runs kept.
    described = [node.meta["val"] for node in traced.graph.find_nodes(op="placeholder")]
    options = {
        # Checks of every argument and of every index of a row, which take time and would find nothing.
        "size_asserts": False,
        "assert_indirect_indexing": False,
        "cpp.threads": torch.get_num_threads(),  # a part of what earlier runs are looked up by
    }
    if arguments[0].device.type == "cpu":
        options["cpp_wrapper"] = True  # the kernels are called from C++, not one by one from Python
    return cast(Compiled, compile_fx(traced, described, config_patches=options))


def tanh(x: Tensor) -> Tensor:
    """tanh by way of the sigmoid: its absolute error is below 1.8e-7, and the vectorised tanh takes three times as
    long."""
    return 2 * torch.sigmoid(2 * x) - 1


@torch.library.custom_op("prnn::index_add", mutates_args=())
def index_add(table: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """torch's index_add, which Inductor leaves as it is: by its own formula several threads add to one row in whatever
    order they meet there."""
    return table.index_add(dim, index, source)


@index_add.register_fake
def _(table: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    return torch.empty_like(table)


def index_add_(table: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """`index_add` in place."""
    return table.copy_(index_add(table, dim, index, source))
