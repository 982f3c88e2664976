"""A function that changes tensors in place -> the same as one compiled function, by torch's Inductor."""

import warnings
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx

Compiled = Callable[..., Any]
aten = torch.ops.aten


def compile_function(function: Callable[..., None], arguments: list[Tensor]) -> Compiled:
    """For arguments of these shapes and types, which it does not check, and for this number of threads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, about torch
        with torch.autograd.set_multithreading_enabled(False):  # CUDA's other thread would not be traced
            traced = make_fx(function, tracing_mode="fake")(*arguments)
        return by_inductor(traced, arguments)


def by_inductor(traced: GraphModule, arguments: list[Tensor]) -> Compiled:
    from torch._inductor.compile_fx import compile_fx  # it takes a second to import
    from torch._inductor.decomposition import select_decomp_table

    formulas = dict(select_decomp_table())
    if arguments[0].device.type == "cpu":
        formulas[aten.tanh.default] = tanh
        if torch.get_num_threads() > 1:
            # By its formula the threads would add to one row in whatever order they meet there.
            formulas.pop(aten.index_add.default, None)
    options = {"size_asserts": False}  # made at every call, of every argument
    return cast(Compiled, compile_fx(traced, arguments, config_patches=options, decompositions=formulas))


def tanh(x: Tensor) -> Tensor:
    """With an error below 1.8e-7, absolute, and three times as fast as the vectorised one."""
    return 2 * torch.sigmoid(2 * x) - 1
