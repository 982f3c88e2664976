"""The supervision of training: what happens at its ticks and at the end of its epochs."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from prnn_cli.errors import RunError, Stopped
from prnn_cli.networks.model_file import refuse_other_network
from prnn_cli.networks.readouts import SHARED
from prnn_cli.origin import Origin
from prnn_cli.reporting.table_formats import write_csv
from prnn_cli.run_folder import RunFolder
from prnn_cli.system.distributed import process_group
from prnn_cli.system.progress import Meter, meter, training_note
from prnn_cli.system.signals import stop_signal
from prnn_cli.training.checkpoint import save_checkpoint
from prnn_cli.training.state import EpochRecord
from prnn_cli.training.trainer import Progress, Trainer

STATUS_EVERY_S = 1.0
# The most of a run's time that checkpoints may take, however large the network and slow the disk.
WRITING_SHARE = 0.02

# (phase, from 1) -> {"recall@20": …}
Validate = Callable[[int], dict[str, float]]
# (number of epochs so far, the last one, its validation)
EpochObserver = Callable[[int, EpochRecord, dict[str, float]], None]

log = logging.getLogger(__name__)


def train_supervised(
    trainer: Trainer,
    folder: RunFolder,
    origin: Origin,
    epochs: int,
    checkpoint_every_s: float,
    validate: Validate | None = None,
    observers: Sequence[EpochObserver] = (),
) -> None:
    """Trains to the end, with a bar, status.json, epochs.csv and checkpoints; signals are honoured at ticks.

    origin: of the run, which its checkpoints carry; epochs: of each subnet; validate: measures the network after each
    epoch.
    Raises `UserError` where the state is not the network's.
    """
    refuse_other_network(f"the checkpoint in {folder.path}", trainer.state.parameters, trainer.network)
    decisions = {
        "origin": origin.as_json(),
        "epochs": epochs,
        "device": trainer.state.device.type,
        "threads": torch.get_num_threads(),
    }
    with meter("training", trainer.events_total) as bar, stop_signal.deferred():
        supervisor = Supervisor(trainer, folder, decisions, checkpoint_every_s, bar, validate, observers)
        trainer.run(supervisor.at_tick, supervisor.at_epoch, supervisor.save_checkpoint)


def _read_validated(epochs: Path, history: Sequence[EpochRecord]) -> dict[tuple[int, int], dict[str, float]]:
    """Reads the metrics from before a resumption, by (phase, epoch); the checkpoint holds the training alone."""
    if not (epochs.is_file() and history):
        return {}
    try:
        rows = pd.read_csv(epochs).set_index(["phase", "epoch"])
        losses, measured = rows["loss"].astype(float).to_dict(), rows.filter(like="@").astype(float)
    except (ValueError, KeyError) as damage:
        log.warning("%s is damaged (%s); what it had measured on the validation part is lost", epochs, damage)
        return {}
    if any(not math.isclose(losses.get((each.phase, each.epoch), -1), each.loss) for each in history):
        log.warning("%s belongs to another run; what was measured on the validation part is lost", epochs)
        return {}
    return {(int(key[0]), int(key[1])): row.to_dict() for key, row in measured.iterrows()}  # type: ignore[index, misc]


class Supervisor:
    """The reports of a `Trainer`, turned into what a user sees and into checkpoints."""

    def __init__(
        self,
        trainer: Trainer,
        folder: RunFolder,
        decisions: dict[str, Any],
        checkpoint_every_s: float,
        bar: Meter,
        validate: Validate | None = None,
        observers: Sequence[EpochObserver] = (),
    ) -> None:
        self.trainer, self.folder, self.decisions, self.bar = trainer, folder, decisions, bar
        self.checkpoint_every_s = checkpoint_every_s
        self._validate, self._observers = validate, observers
        self._validated = _read_validated(folder.epochs_file, trainer.state.history) if validate else {}
        self._started = self._last_checkpoint = self._last_status = time.monotonic()
        self._writing_s = self._last_writing_s = 0.0

    def at_tick(self, progress: Progress) -> None:
        """Reports the progress, and saves a checkpoint if one is due. Raises `Stopped` after a signal."""
        note = training_note(
            progress.phase, progress.epoch, progress.learning, progress.loss, progress.events_per_s
        )
        self.bar.update(progress.events_done, note, progress.seconds_left)
        now = time.monotonic()
        if now - self._last_status >= STATUS_EVERY_S:
            self._last_status = now
            self.folder.write_status("running", progress=asdict(progress))
        # All processes save, or stop, at the same tick: the first one's clock and any one's signal decide.
        wishes = process_group().all_gather((self._is_checkpoint_due(now), stop_signal.number))
        is_due, signal = wishes[0][0], next((number for _, number in wishes if number is not None), None)
        if is_due or signal is not None:
            self.save_checkpoint()
        if signal is not None:
            raise Stopped(
                signal,
                f"stopped at phase {progress.phase}, epoch {progress.epoch}; {self.folder.how_to_resume}",
            )

    def at_epoch(self, record: EpochRecord) -> None:
        """Validates, writes epochs.csv anew, and calls the observers."""
        log.info(
            "phase %d, epoch %d (%s): loss %.4f, %s events/s",
            record.phase,
            record.epoch,
            record.learning,
            record.loss,
            f"{record.events_per_s:,.0f}",
        )
        if self._validate:
            measured = self._validated[record.phase, record.epoch] = self._validate(record.phase)
            log.info("validation: %s", ", ".join(f"{key} {value:.4f}" for key, value in measured.items()))
        rows = [
            asdict(each) | self._validated.get((each.phase, each.epoch), {})
            for each in self.trainer.state.history
        ]
        write_csv(self.folder.epochs_file, pd.DataFrame(rows).drop(columns="steps"))
        for observe in self._observers:
            observe(len(rows), record, self._validated.get((record.phase, record.epoch), {}))

    def _is_checkpoint_due(self, now: float) -> bool:
        """Whether the interval is over, which stretches where writing takes long."""
        writing = self._writing_s + self._last_writing_s
        is_cheap = writing <= WRITING_SHARE * (now - self._started)
        return is_cheap and now - self._last_checkpoint >= self.checkpoint_every_s

    def save_checkpoint(self) -> None:
        """Writes the state of all processes, and keeps the checkpoint before it."""
        began = time.monotonic()
        self._refuse_bad_parameters()
        state = self.trainer.state.all_gathered()
        if process_group().is_main:
            self.folder.keep_checkpoint()
            used = {"executor": self.trainer.executor.used}  # eager, where compiling failed
            save_checkpoint(self.folder.checkpoint_file, state, self.decisions | used)
        self._last_checkpoint = time.monotonic()
        self._last_writing_s = self._last_checkpoint - began
        self._writing_s += self._last_writing_s

    def _refuse_bad_parameters(self) -> None:
        if bad := self.trainer.state.not_finite():
            owner, cursor = self.trainer.network.owner(bad), self.trainer.state.cursor
            option = "output" if owner == SHARED else f"subnets.{owner}"
            raise RunError(
                f"{bad} is not finite after {cursor.step} steps of phase {cursor.phase + 1}, epoch {cursor.epoch + 1}; "
                f"lower {option}.learning_rate, or choose another recipe.loss or recipe.activation"
            )
