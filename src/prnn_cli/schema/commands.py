"""Options of the commands, each of which puts groups together."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from prnn_cli.errors import UserError
from prnn_cli.schema.dataset import DatasetConfig
from prnn_cli.schema.features import FeaturesConfig
from prnn_cli.schema.fields import (
    AUTO,
    Mark,
    _check_bounds,
    bounded,
    check_number,
    group,
    marked,
    one_of,
    option,
    options_of,
)
from prnn_cli.schema.network import (
    ArchConfig,
    NewItemsConfig,
    OutputConfig,
    RecipeConfig,
    StrategyConfig,
    SubnetConfig,
    UnitsConfig,
)
from prnn_cli.schema.running import (
    CheckpointConfig,
    EvaluationConfig,
    HardwareConfig,
    LoggerConfig,
    SearchConfig,
    TableConfig,
    TrainingConfig,
)


@dataclass
class PreprocessCommand:
    cache_dir: str = MISSING
    dataset: DatasetConfig = field(default_factory=DatasetConfig)


@dataclass
class FeaturesCommand:
    similar: str | None = option(Mark.ITEM_IDS)
    cache_dir: str = MISSING
    dataset: DatasetConfig = field(default_factory=DatasetConfig)
    features: FeaturesConfig = field(default_factory=FeaturesConfig)
    hardware: HardwareConfig = field(default_factory=HardwareConfig)


@dataclass
class TrainCommand:
    """epochs: a number, or auto, which experiment/epochs.py makes a number of."""

    label: str | None = option(Mark.FREE_ON_RESUME)
    epochs: Any = MISSING
    seed: int = bounded(at_least=0, marks=[Mark.SHARES_ROW])
    seeds: int = bounded(at_least=1, at_most=1000, marks=[Mark.FREE_ON_RESUME])
    resume: bool = option(Mark.FREE_ON_RESUME)
    experiment: str | None = option(Mark.SHARES_ROW)
    row: str | None = option(Mark.SHARES_ROW)
    cache_dir: str = option(Mark.FREE_ON_RESUME)
    dataset: DatasetConfig = field(default_factory=DatasetConfig)
    features: FeaturesConfig = field(default_factory=FeaturesConfig)
    arch: ArchConfig = field(default_factory=ArchConfig)
    strategy: StrategyConfig = field(default_factory=StrategyConfig)
    recipe: RecipeConfig = field(default_factory=RecipeConfig)
    units: UnitsConfig = group(UnitsConfig, Mark.SHARES_ROW)  # the subnets hold the values
    subnets: dict[str, SubnetConfig] = MISSING
    output: OutputConfig = field(default_factory=OutputConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    new_items: NewItemsConfig = field(default_factory=NewItemsConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    baselines: dict[str, Any] = options_of("BASELINES", marks=[Mark.SHARES_ROW])
    hardware: HardwareConfig = group(HardwareConfig, Mark.FREE_ON_RESUME)
    checkpoint: CheckpointConfig = group(CheckpointConfig, Mark.FREE_ON_RESUME)
    logger: LoggerConfig | None = option(Mark.FREE_ON_RESUME)
    search: SearchConfig | None = option(Mark.FREE_ON_RESUME)
    tune: list[str] = option(Mark.FREE_ON_RESUME)
    table: TableConfig = group(TableConfig, Mark.FREE_ON_RESUME)
    plan: Any = option(Mark.FREE_ON_RESUME)
    jobs: Any = option(Mark.FREE_ON_RESUME)

    def check_values(self, path: str) -> None:
        jobs = int(self.jobs) if str(self.jobs).isdecimal() else self.jobs  # text, where PRNN_JOBS sets it
        check_number(f"{path}jobs", jobs, AUTO, note=" (the environment's PRNN_JOBS sets it too)")
        epochs = self.epochs
        if epochs == AUTO:
            return
        if isinstance(epochs, bool) or not str(epochs).lstrip("-").isdecimal():
            shown = "null" if epochs is None else str(epochs).lower()
            raise UserError(f"{path}epochs={shown} does not fit; epochs must be a whole number, or auto")
        _check_bounds(f"{path}epochs", int(epochs), {"at_least": 1})


@dataclass
class VerdictCommand(TrainCommand):
    """The settings of the networks that a verdict trains, and how many of them it trains.

    looks: the numbers of seeds after which it may end
    """

    recipes: list[str] = MISSING
    rows: list[str] = MISSING
    trials: int = bounded(at_least=1, at_most=100)
    space: dict[str, str] = MISSING
    looks: list[int] = MISSING
    hours: float = bounded(above=0, marks=[Mark.FREE_ON_RESUME])
    metric: str = MISSING
    level: float = bounded(above=0, below=1)
    interest: float = bounded(at_least=0)
    rare: float = bounded(above=0, below=1)

    def check_values(self, path: str) -> None:
        super().check_values(path)
        looks = self.looks
        if not looks or looks != sorted(set(looks)) or looks[0] < 2:
            raise UserError(
                f"{path}looks={list(looks)} does not fit; give numbers of seeds that rise, from 2 on, such as [3,6]"
            )


@dataclass
class EvaluationChanges:
    """The settings that `prnn evaluate` makes anew; null keeps the run's own."""

    part: str | None = one_of("test", "validation")
    metrics: list[str] | None = MISSING
    cutoffs: list[int] | None = MISSING
    candidates: Any = MISSING
    tie_break: str | None = one_of("conservative", "median", "standard")


@dataclass
class EvaluateCommand:
    run: str = MISSING
    cache_dir: str = MISSING
    evaluation: EvaluationChanges = field(default_factory=EvaluationChanges)
    baselines: dict[str, Any] = options_of("BASELINES")
    hardware: HardwareConfig = field(default_factory=HardwareConfig)


@dataclass
class RecommendCommand:
    run: str = MISSING
    new_items: str | None = MISSING
    boost: float | None = bounded(at_least=0)
    session: list[str] | None = option(Mark.ITEM_IDS)
    sessions: str | None = MISSING
    stream: bool = MISSING
    method: str | None = MISSING
    n: int = bounded(at_least=1)
    exclude_clicked: bool = MISSING
    allow: str | None = MISSING
    deny: str | None = MISSING
    explain: bool = MISSING
    output: str | None = MISSING
    cache_dir: str = MISSING
    hardware: HardwareConfig = field(default_factory=HardwareConfig)


@dataclass
class ExportCommand:
    run: str = MISSING
    new_items: str | None = MISSING
    boost: float | None = bounded(at_least=0)
    out: str = MISSING


@dataclass
class LimitsConfig:
    body_bytes: int = bounded(at_least=100)
    clicks: int = bounded(at_least=1)
    k: int = bounded(at_least=1)
    list_items: int = bounded(at_least=1)
    batch: int = bounded(at_least=1)
    waiting: int = bounded(at_least=1)
    sessions: int = bounded(at_least=1)


@dataclass
class ServeCommand:
    run: str = MISSING
    new_items: str | None = MISSING
    boost: float | None = bounded(at_least=0)
    host: str = MISSING
    port: int = bounded(at_least=0, at_most=65535)
    ttl: float = bounded(above=0)
    threads: int = bounded(at_least=1, at_most=256)
    limits: LimitsConfig = field(default_factory=LimitsConfig)


@dataclass
class TablesCommand:
    runs: Any = MISSING
    table: TableConfig = field(default_factory=TableConfig)


@dataclass
class TrainingCase:
    """A training to be timed: overrides of `prnn train`, on a drawn log of this many items."""

    num_items: int = bounded(at_least=1000)
    overrides: list[str] = MISSING


@dataclass
class RankingCase:
    num_items: int = bounded(at_least=1000)
    candidates: Any = MISSING


@dataclass
class LogCase:
    num_events: int = bounded(at_least=1000)
    num_items: int = bounded(at_least=100)


@dataclass
class BaselineCase:
    """The fit of a baseline on a drawn log, with the options that `prnn train` gives it."""

    name: str = MISSING
    num_events: int = bounded(at_least=1000)
    num_items: int = bounded(at_least=100)


@dataclass
class ForecastCase:
    """A run to be forecast, and then to be run: overrides of `prnn train`."""

    overrides: list[str] = MISSING


@dataclass
class BenchConfig:
    name: str = MISSING
    repeats: int = bounded(at_least=1)
    steps: int = bounded(at_least=10, at_most=256)
    training: list[TrainingCase] = MISSING
    ranking: list[RankingCase] = MISSING
    baselines: list[BaselineCase] = MISSING
    preparation: list[LogCase] = MISSING
    forecasts: list[ForecastCase] = MISSING


@dataclass
class BenchCommand:
    cache_dir: str = MISSING
    bench: BenchConfig = field(default_factory=BenchConfig)
    hardware: HardwareConfig = field(default_factory=HardwareConfig)


@dataclass
class StatusCommand:
    run: str = MISSING


@dataclass
class CleanCommand:
    runs: str = MISSING
    cache_dir: str = MISSING
    days: float = bounded(at_least=0)
    sweeps: bool = MISSING
    checkpoints: bool = MISSING
    remove: bool = MISSING


def is_marked(key: str, *marks: Mark) -> bool:
    """Whether an option of prnn train or verdict, such as hardware.threads, has one of the marks, or a group that holds
    it has."""
    names = [name for mark in marks for name in marked(VerdictCommand, mark)]
    return any(f"{key}.".startswith(f"{name}.") for name in names)
