"""The supervision of training: what happens at its ticks and at the end of its epochs."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

import pandas as pd
import torch

from prnn_cli.errors import RunError, Stopped
from prnn_cli.experiment.foresight import Foresight
from prnn_cli.experiment.refit import Refit
from prnn_cli.networks.model_file import refuse_other_network
from prnn_cli.networks.readouts import SHARED
from prnn_cli.origin import Origin
from prnn_cli.reporting.table_formats import write_csv
from prnn_cli.run_folder import RunFolder
from prnn_cli.system.distributed import process_group
from prnn_cli.system.files import link_or_copy
from prnn_cli.system.progress import Meter, meter, training_note
from prnn_cli.system.signals import stop_signal
from prnn_cli.system.tensor_files import DamagedFileError
from prnn_cli.training.checkpoint import load_checkpoint, save_checkpoint
from prnn_cli.training.divergence import DivergedError
from prnn_cli.training.selection import Selection, decide, selected
from prnn_cli.training.state import Cursor, EpochRecord, TrainState
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
    selection: Selection | None = None,
    refit: Refit | None = None,
    foresight: Foresight | None = None,
) -> None:
    """Trains to the end, with a bar, status.json, epochs.csv and checkpoints; signals are honoured at ticks.

    origin: of the run, which its checkpoints carry; epochs: of each subnet; validate: measures the network after each
    epoch; selection: how epochs are chosen by that; refit: where this is the training that follows from such a choice;
    foresight: looks ahead in a long run.
    Raises `UserError` where the state is not the network's, `DivergedError` where training diverges.
    """
    refuse_other_network(f"the checkpoint in {folder.path}", trainer.state.parameters, trainer.network)
    decisions = {
        "origin": origin.as_json(),
        "epochs": epochs,
        "device": trainer.state.device.type,
        "threads": torch.get_num_threads(),
        "rate_factor": trainer.rate_factor,
    } | (refit.as_decisions() if refit else {})
    with meter("refitting" if refit else "training", trainer.events_total) as bar, stop_signal.deferred():
        supervisor = Supervisor(
            trainer,
            folder,
            decisions,
            checkpoint_every_s,
            bar,
            validate,
            observers,
            selection,
            refit,
            foresight,
        )
        if refit and not trainer.state.is_begun:
            supervisor.begin_refit()
        trainer.run(supervisor.at_tick, supervisor.at_epoch, supervisor.save_checkpoint)


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
        selection: Selection | None = None,
        refit: Refit | None = None,
        foresight: Foresight | None = None,
    ) -> None:
        self.trainer, self.folder, self.decisions, self.bar = trainer, folder, decisions, bar
        self.checkpoint_every_s = checkpoint_every_s
        self._validate, self._observers, self._selection = validate, observers, selection
        self._refit, self._foresight = refit, foresight
        self._started = self._last_checkpoint = self._last_status = time.monotonic()
        self._writing_s = self._last_writing_s = 0.0

    def at_tick(self, progress: Progress) -> None:
        """Reports the progress, and saves a checkpoint if one is due. Raises `Stopped` after a signal."""
        note = training_note(
            progress.phase, progress.epoch, progress.learning, progress.loss, progress.events_per_s
        )
        self.bar.update(progress.events_done, note, progress.seconds_left)
        if self._foresight:
            self._foresight.at_tick(progress)
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
        """Validates, writes epochs.csv anew, calls the observers, and keeps or takes up the best state."""
        log.info(
            "phase %d, epoch %d (%s): loss %.4f, %s events/s",
            record.phase,
            record.epoch,
            record.learning,
            record.loss,
            f"{record.events_per_s:,.0f}",
        )
        history = self.trainer.state.history
        if self._validate:
            # Of the first process, as the others must decide as it does.
            measured = process_group().broadcast(self._validate(record.phase))
            record = history[-1] = replace(record, measured=measured)
            log.info("validation: %s", ", ".join(f"{key} {value:.4f}" for key, value in measured.items()))
        self._write_epochs()
        before = len(self._refit.history) if self._refit else 0
        for observe in self._observers:
            observe(before + len(history), record, record.measured)
        if self._selection:
            self._select(self._selection)

    def _write_epochs(self) -> None:
        history, refit = self.trainer.state.history, self._refit
        before = refit.history if refit else []
        rows = [asdict(record) | record.measured for record in [*before, *history]]
        frame = pd.DataFrame(rows).drop(columns=["steps", "measured"])
        if refit:
            frame["selected"] = frame.index.isin(refit.chosen)
            frame["trained_on"] = ["train"] * len(before) + ["train+validation"] * len(history)
        elif self._selection:
            best = [index for _, index in selected(self._selection, self.trainer.phases, history)]
            frame["selected"] = frame.index.isin(best)
        write_csv(self.folder.epochs_file, frame)

    def begin_refit(self) -> None:
        """Has the first state of a refit take the place of those that chose its epochs."""
        self.folder.write_status("running", stage="training anew, for the chosen epochs")
        self.save_checkpoint()
        if process_group().is_main:
            self.folder.forget_selecting()

    def _select(self, selection: Selection) -> None:
        """Saves the state where it is the best of its stage; at the end of the stage, the best one is taken up."""
        state = self.trainer.state
        decision = decide(selection, self.trainer.phases, state.history)
        if decision is None:
            return
        if decision.is_best:
            self.save_checkpoint(is_best=True)
        if decision.is_over:
            best = state.history[decision.best]
            value = best.measured[selection.metric]
            log.info("kept: phase %d, epoch %d, %s %.4f", best.phase, best.epoch, selection.metric, value)
            if not decision.is_best:
                state.take(self._best_state(state.history[: decision.best + 1]))
            state.cursor = Cursor(decision.next_phase)
            self.bar.resize(self.trainer.events_total)

    def _best_state(self, history: Sequence[EpochRecord]) -> TrainState:
        """Reads the state after the last epoch of `history`, which was kept. Raises `RunError` where it is not."""
        file = RunFolder(process_group().broadcast(self.folder.path.absolute())).best_file
        try:
            best, _ = load_checkpoint(file, self.trainer.state.device)
            if _measured(best.history) != _measured(history) or best.cursor.step:
                raise DamagedFileError("it is the state of another epoch, or of another run")
        except DamagedFileError as damage:
            raise RunError(
                f"{file} no longer holds the state of the best epoch, phase {history[-1].phase}, epoch "
                f"{history[-1].epoch} ({damage}); restore it and resume, or train in another folder"
            ) from damage
        return best.sharded()

    def _is_checkpoint_due(self, now: float) -> bool:
        """Whether the interval is over, which stretches where writing takes long."""
        writing = self._writing_s + self._last_writing_s
        is_cheap = writing <= WRITING_SHARE * (now - self._started)
        return is_cheap and now - self._last_checkpoint >= self.checkpoint_every_s

    def save_checkpoint(self, is_best: bool = False) -> None:
        """Writes the state of all processes, and keeps the checkpoint before it. is_best: of its stage so far, to be
        kept until that ends"""
        began = time.monotonic()
        self._refuse_bad_parameters()
        state = self.trainer.state.all_gathered()
        if process_group().is_main:
            used = {"executor": self.trainer.executor.used}  # eager, where compiling failed
            if is_best:
                # First: a run that is killed before it is the newest too comes to this epoch once more.
                save_checkpoint(self.folder.best_file, state, self.decisions | used)
            self.folder.keep_checkpoint()
            if is_best:
                link_or_copy(self.folder.best_file, self.folder.checkpoint_file)
            else:
                save_checkpoint(self.folder.checkpoint_file, state, self.decisions | used)
        self._last_checkpoint = time.monotonic()
        self._last_writing_s = self._last_checkpoint - began
        self._writing_s += self._last_writing_s

    def _refuse_bad_parameters(self) -> None:
        if bad := self.trainer.state.not_finite():
            owner, cursor = self.trainer.network.owner(bad), self.trainer.state.cursor
            option = "output" if owner == SHARED else f"subnets.{owner}"
            raise DivergedError(
                f"{bad} is not finite after {cursor.step} steps of phase {cursor.phase + 1}, epoch {cursor.epoch + 1}",
                f"{option}.learning_rate",
            )


def _measured(history: Sequence[EpochRecord]) -> list[tuple[int, int, dict[str, float]]]:
    """What is the same in all processes of a run, as times are not."""
    return [(record.phase, record.epoch, record.measured) for record in history]
