"""Options of networks: subnets, architecture, strategy, loss and steps."""

from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING

from prnn_cli.errors import UserError
from prnn_cli.schema.fields import bounded, one_of, options_of


@dataclass
class SubnetConfig:
    hidden_size: int = bounded(at_least=1)
    embedding_size: int | None = bounded(at_least=1)
    fine_tuning_rate: float = bounded(at_least=0)
    dropout: float = bounded(at_least=0, below=1)
    input_dropout: float = bounded(at_least=0, below=1)
    learning_rate: float = bounded(at_least=0)
    momentum: float = bounded(at_least=0, below=1)
    weight: float = MISSING


@dataclass
class ArchConfig:
    name: str = MISSING
    subnets: str = one_of("id", "feature", "concatenated", "each")
    readout: str = MISSING
    trained: str = one_of("together", "alone")
    weights: list[float] | None = MISSING
    order: list[str] | None = MISSING
    options: Any = options_of("READOUTS", named_by="readout")


@dataclass
class StrategyConfig:
    name: str = MISSING
    options: Any = options_of("STRATEGIES", named_by="name")


@dataclass
class RecipeConfig:
    name: str = MISSING
    loss: str = MISSING
    options: Any = options_of("LOSSES", named_by="loss")
    score_regularisation: float = bounded(at_least=0)
    activation: str = one_of("tanh", "linear", "elu", "elu_1")
    batch_size: int = bounded(at_least=2)
    num_sampled: Any = MISSING
    sample_alpha: float = bounded(at_least=0, at_most=1)
    logq: float = bounded(at_least=0, at_most=1)
    label_smoothing: float = bounded(at_least=0, below=1)
    calibration: float = bounded(at_least=0, at_most=1)
    tied: bool = MISSING
    dropout: float = bounded(at_least=0, below=1)
    input_dropout: float = bounded(at_least=0, below=1)
    learning_rate: float = bounded(at_least=0)
    momentum: float = bounded(at_least=0, below=1)
    optimiser: str = one_of("adagrad", "adam")

    def check_values(self, path: str) -> None:
        number = self.num_sampled
        is_number = isinstance(number, int) and not isinstance(number, bool)
        if number != "all" and not (is_number and number >= 0):
            raise UserError(
                f"{path}num_sampled={number} cannot be drawn; give a whole number from 0, or all to score every item"
            )

    @property
    def scores_all(self) -> bool:
        """Whether each item of the catalogue is scored in every step."""
        return bool(self.num_sampled == "all")

    @property
    def num_drawn(self) -> int:
        """The negatives that a step draws: none where it scores each item."""
        return 0 if self.scores_all else int(self.num_sampled)

    def num_columns(self, num_items: int) -> int:
        """The items that a step scores for each slot."""
        return num_items if self.scores_all else self.batch_size + self.num_drawn


@dataclass
class OutputConfig:
    """Learning settings of what the subnets share: the output table of `shared_w`."""

    learning_rate: float = bounded(at_least=0)
    momentum: float = bounded(at_least=0, below=1)


@dataclass
class UnitsConfig:
    """Hidden units of each subnet, by `ArchConfig.subnets`."""

    id: int = bounded(at_least=1)
    feature: int = bounded(at_least=1)
    concatenated: int = bounded(at_least=1)
    each: int = bounded(at_least=1)


@dataclass
class NewItemsConfig:
    fit: str = one_of("auto", "ridge", "nearest", "none")
    alpha: float = bounded(above=0)
    neighbours: int = bounded(at_least=1)
    boost: float = bounded(at_least=0)
