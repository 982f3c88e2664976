"""The parts of a baseline, which is one module with a dict BASELINES and one config in baselines/ of its name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from prnn_cli.data.prepare import PreparedData
from prnn_cli.scoring import Scorer


@dataclass(frozen=True)
class NoOptions:
    """The options of a baseline that has none."""


@dataclass(frozen=True)
class Baseline:
    """A method that networks are compared with.

    label: its name in tables
    fit: made of the prepared data (of whose parts it may use `train` alone) and its options, an instance of `options`
    options: the dataclass of what `baselines.NAME.*` in a configuration can hold
    """

    label: str
    fit: Callable[[PreparedData, Any], Scorer]
    options: type = NoOptions
