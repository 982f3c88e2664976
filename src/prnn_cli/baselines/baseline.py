"""The parts of a baseline, which is one module with a dict BASELINES and one config in baselines/ of its name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from prnn_cli.data.prepare import PreparedData
from prnn_cli.schema import one_of
from prnn_cli.scoring import Scorer


@dataclass(frozen=True)
class NoOptions:
    """The options of a baseline that has none."""


LEAVE_OUT = "leave_out"


@dataclass
class FeatureOptions:
    """The option of a baseline that compares items by their features: whether a run without any is refused, or has the
    baseline left out."""

    without_features: str = one_of("refuse", LEAVE_OUT)


def nothing_to_check(data: PreparedData, options: Any) -> None:
    """The check of a baseline that can be fitted on any data."""


@dataclass(frozen=True)
class Baseline:
    """A method that networks are compared with.

    label: its name in tables
    fit: made of the prepared data (of whose parts it may use `train` alone) and its options, an instance of `options`;
        where `uses_features`, a third argument is the run's features: source -> `features.table.FeatureTable`
    options: the dataclass of what `baselines.NAME.*` in a configuration can hold
    check: raises `UserError` for data and options that do not go together; called before anything is trained
    uses_features: whether it needs features of the items; its options may then be `FeatureOptions`
    """

    label: str
    fit: Callable[..., Scorer]
    options: type = NoOptions
    check: Callable[[PreparedData, Any], None] = nothing_to_check
    uses_features: bool = False
