"""What surrounds training: the checkpoint it starts from, and what happens at its ticks."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from prnn_cli.errors import Stopped, UserError
from prnn_cli.files import atomic_write
from prnn_cli.progress import Meter, meter
from prnn_cli.run_folder import RunFolder
from prnn_cli.signals import stop_signal
from prnn_cli.training.state import EpochRecord, TrainState
from prnn_cli.training.trainer import Progress, Trainer

STATUS_EVERY_S = 1.0
EPOCHS = "epochs.csv"

Validate = Callable[[int], dict[str, float]]  # the phase, from 1 -> {"recall@20": …}
EpochObserver = Callable[
    [int, EpochRecord, dict[str, float]], None
]  # epochs so far, the last one, its validation

log = logging.getLogger(__name__)


def load_checkpoint(
    folder: RunFolder, data_hash: str, device: torch.device
) -> tuple[TrainState | None, str | None]:
    """The run's checkpoint and the path of its steps, if it has one; the number of threads that it was made with is
    taken over.

    Raises `UserError` where the run was trained on other data.
    """
    if not folder.checkpoint_file.is_file():
        return None, None
    state, decisions = TrainState.load(folder.checkpoint_file, device)
    if decisions["data_hash"] != data_hash:
        raise UserError(
            f"the data have changed since the run in {folder.path} began; restore them, or train in another folder"
        )
    if decisions["threads"] != torch.get_num_threads():
        log.info("%s threads, as the run began with", decisions["threads"])
        torch.set_num_threads(decisions["threads"])
    if decisions["device"] != device.type:
        log.warning(
            "the run began on %s and goes on on %s: last digits may differ", decisions["device"], device.type
        )
        decisions["path"] = None  # of the other device
    cursor = state.cursor
    log.info("resuming at phase %d, epoch %d, step %d", cursor.phase + 1, cursor.epoch + 1, cursor.step)
    return state, decisions["path"]


def train_supervised(
    trainer: Trainer,
    folder: RunFolder,
    data_hash: str,
    checkpoint_every_s: float,
    validate: Validate | None = None,
    observers: Sequence[EpochObserver] = (),
) -> None:
    """Trains to the end, with a bar, status.json, epochs.csv and checkpoints; signals are honoured at ticks."""
    decisions = {
        "data_hash": data_hash,
        "device": trainer.state.device.type,
        "threads": torch.get_num_threads(),
        "path": trainer.path,
    }
    with meter("training", trainer.events_total) as bar, stop_signal.deferred():
        supervisor = Supervisor(trainer, folder, decisions, checkpoint_every_s, bar, validate, observers)
        trainer.run(at_tick=supervisor.at_tick, at_epoch=supervisor.at_epoch)
        supervisor.save_checkpoint()


def _read_validated(epochs: Path) -> dict[tuple[int, int], dict[str, float]]:
    """By phase and epoch, what a run that goes on had measured before: the checkpoint holds the training alone."""
    if not epochs.is_file():
        return {}
    frame = pd.read_csv(epochs)
    measured = frame.set_index(["phase", "epoch"]).filter(like="@")
    return {(int(key[0]), int(key[1])): row.to_dict() for key, row in measured.iterrows()}  # type: ignore[index, misc]


class Supervisor:
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
        self._validated = _read_validated(folder.path / EPOCHS) if validate else {}
        self._last_checkpoint = self._last_status = time.monotonic()

    def at_tick(self, progress: Progress) -> None:
        self.bar.update(
            progress.events_done,
            f"phase {progress.phase} epoch {progress.epoch} ({progress.learning}) "
            f"loss {progress.loss:.4f} {progress.events_per_s:,.0f} events/s",
            progress.seconds_left,
        )
        now = time.monotonic()
        if now - self._last_status >= STATUS_EVERY_S:
            self._last_status = now
            self.folder.write_status("running", progress=asdict(progress))
        if now - self._last_checkpoint >= self.checkpoint_every_s:
            self.save_checkpoint()
        self._honour_signal(progress)

    def at_epoch(self, record: EpochRecord) -> None:
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
        with atomic_write(self.folder.path / EPOCHS) as temporary:
            pd.DataFrame(rows).drop(columns="steps").to_csv(temporary, index=False)
        for observe in self._observers:
            observe(len(rows), record, self._validated.get((record.phase, record.epoch), {}))

    def save_checkpoint(self) -> None:
        self.trainer.state.save(self.folder.checkpoint_file, self.decisions)
        self._last_checkpoint = time.monotonic()

    def _honour_signal(self, progress: Progress) -> None:
        if stop_signal.number is not None:
            self.save_checkpoint()
            raise Stopped(
                stop_signal.number,
                f"stopped at phase {progress.phase}, epoch {progress.epoch}; to continue, run the same command with "
                f"resume=true hydra.run.dir={self.folder.path} (a sweep: hydra.sweep.dir={self.folder.path.parent})",
            )
