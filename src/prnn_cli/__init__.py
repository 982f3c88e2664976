"""Parallel RNNs for feature-rich session-based recommendation (Hidasi et al., RecSys 2016).

The command line is `prnn`; from Python, these names do the same, and are imported with torch when first used:

    config = prnn_cli.compose(["dataset=generic", "dataset.path=clicks.csv", "arch=id_only"])
    run = prnn_cli.train(config)                        # or prnn_cli.load_run("runs/mine")
    run.recommend([["item-042", "item-017"]], k=20)     # a data frame
"""

from importlib import import_module
from typing import TYPE_CHECKING

from prnn_cli.errors import RunError, UserError

if TYPE_CHECKING:
    from prnn_cli.api import Config, Run, compose, load_run, prepare, table, train

__version__ = "0.1.0"

__all__ = ["Config", "Run", "RunError", "UserError", "compose", "load_run", "prepare", "table", "train"]

_API = "prnn_cli.api"  # defines the names above that are not imported here, as help answers without torch


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_API), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
