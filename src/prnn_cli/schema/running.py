"""Options of how a run is trained, ranked, searched and told of."""

from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING

from prnn_cli.errors import UserError
from prnn_cli.schema.fields import bounded, check_number, one_of


@dataclass
class EvaluationConfig:
    part: str = one_of("test", "validation")
    cold_items: float = bounded(at_least=0, at_most=0.9)
    metrics: list[str] = MISSING
    cutoffs: list[int] = MISSING
    candidates: Any = MISSING
    tie_break: str = one_of("conservative", "median", "standard")
    each_epoch: bool = MISSING

    def check_values(self, path: str) -> None:
        candidates, cutoffs = self.candidates, self.cutoffs
        is_number = isinstance(candidates, int) and not isinstance(candidates, bool)
        if candidates != "all" and not (is_number and candidates >= 1):
            raise UserError(
                f"{path}candidates={candidates} is no set of items; give all, or a number N from 1 "
                "for the N items of most training support"
            )
        if not cutoffs or min(cutoffs) < 1 or len(set(cutoffs)) < len(cutoffs):
            raise UserError(
                f"{path}cutoffs={cutoffs} cannot be measured; give different numbers from 1, such as [5,20]"
            )


@dataclass
class TrainingConfig:
    """Which of the trained epochs are kept, and what happens where training diverges; patience: auto, a number of
    epochs, or None for no end before the last; most_epochs: where these are auto; select, refit: None for as epochs
    has them; validation_events: auto, all, or a number."""

    select: str | None = one_of("last", "best")
    metric: str = MISSING
    patience: Any = MISSING
    most_epochs: int = bounded(at_least=1)
    refit: bool | None = MISSING
    validation_events: Any = MISSING
    on_divergence: str = one_of("lower", "stop")

    def check_values(self, path: str) -> None:
        check_number(f"{path}patience", self.patience, "auto", "null")
        check_number(f"{path}validation_events", self.validation_events, "auto", "all")


@dataclass
class HardwareConfig:
    device: str = one_of("auto", "cpu", "gpu")
    threads: int | None = bounded(at_least=1)
    compile: str = one_of("auto", "always", "never")
    tf32: bool = MISSING


@dataclass
class CheckpointConfig:
    every_s: float = bounded(at_least=0)
    keep: str = one_of("last", "never")


@dataclass
class TableConfig:
    gain_over: str | None = MISSING
    parameters: bool = MISSING
    events_per_s: bool = MISSING
    published: bool = MISSING
    figures: bool = MISSING
    resamples: int = bounded(at_least=100, at_most=1_000_000)
    confidence: float = bounded(at_least=0.5, below=1)


@dataclass
class LoggerConfig:
    """The logger of a run; uri: of MLflow's tracking store; experiment: the name there that the run belongs to."""

    name: str = one_of("tensorboard", "mlflow")
    uri: str | None = MISSING
    experiment: str | None = MISSING


@dataclass
class SearchConfig:
    """A search for settings.

    method: a baseline whose options they are; None for the network's
    space: option -> a sweep in Hydra's grammar, such as interval(0,0.7)
    trial: the number of the trial that a run is, else None
    """

    name: str = MISSING
    method: str | None = MISSING
    metric: str = MISSING
    trials: int = bounded(at_least=1)
    parallel: int = bounded(at_least=1)
    prune: bool = MISSING
    prune_after_trials: int = bounded(at_least=1)
    prune_after_epochs: int = bounded(at_least=0)
    folder: str = MISSING
    trial: int | None = bounded(at_least=0)
    space: dict[str, str] = MISSING
