"""The refit: training anew on training + validation part, for the epochs that the training before it has chosen."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from prnn_cli.experiment.selecting import selection_of
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import DatasetConfig, TrainCommand
from prnn_cli.system.distributed import process_group
from prnn_cli.system.tensor_files import DamagedFileError
from prnn_cli.training.checkpoint import Decisions, read_progress
from prnn_cli.training.selection import selected, shortened
from prnn_cli.training.state import EpochRecord
from prnn_cli.training.strategies import Phase
from prnn_cli.training.trainer import Trainer

KEY = "refit"  # among the decisions of a checkpoint: only that of a refit has it


@dataclass(frozen=True)
class Refit:
    """What a refit is bound to.

    rounds: of each stage, as they were chosen; history: the epochs of the training that chose them; chosen: its
    indices in the history; described: what metrics.json says of it; rate_factor: that its learning rates were
    multiplied with, and the refit's are too; weights: of the subnets for which it has chosen one
    """

    rounds: list[int]
    history: list[EpochRecord]
    chosen: list[int]
    described: dict[str, Any]
    rate_factor: float
    weights: dict[str, float] = field(default_factory=dict)

    def as_decisions(self) -> Decisions:
        """What its checkpoints carry, for `refit_before`."""
        return {KEY: asdict(self)}

    def phases(self, schedule: Sequence[Phase]) -> list[Phase]:
        """The schedule with the chosen rounds alone."""
        return shortened(schedule, self.rounds)


def whole(dataset: DatasetConfig) -> DatasetConfig:
    """The dataset without a hold-out: its items, and their indices, are the same."""
    return replace(dataset, validation_days=0)


def refit_of(
    settings: TrainCommand, trainer: Trainer, described: dict[str, Any], weights: dict[str, float]
) -> Refit:
    """The refit that follows from a training that has chosen its epochs, and the subnets' weights."""
    history = trainer.state.history
    kept = selected(selection_of(settings), trainer.phases, history)
    rounds, chosen = [number for number, _ in kept], [index for _, index in kept]
    return Refit(rounds, history, chosen, described, trainer.rate_factor, weights)


def refit_before(folder: RunFolder) -> Refit | None:
    """The refit that the run in a folder has begun; None where it has begun none."""
    group = process_group()
    stored = _stored(folder) if group.is_main else None
    if (stored := group.broadcast(stored)) is None:
        return None
    return Refit(**stored | {"history": [EpochRecord(**record) for record in stored["history"]]})


def _stored(folder: RunFolder) -> dict[str, Any] | None:
    for file in folder.checkpoint_files:
        with suppress(DamagedFileError):
            _, decisions = read_progress(file)
            found: dict[str, Any] | None = decisions.get(KEY)
            return found
    return None
