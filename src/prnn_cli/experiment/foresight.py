"""A look ahead in a long run: how fast the phases to come are, and how long ranking takes, so that it can say when it
ends."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from prnn_cli.experiment.memory import free_memory
from prnn_cli.experiment.pace import pace_of
from prnn_cli.system.distributed import process_group
from prnn_cli.system.durations import shown_duration
from prnn_cli.system.tree import map_tensors, tensors_of
from prnn_cli.training.trainer import Progress, Trainer

AFTER_S = 15.0  # of training: what is short needs no forecast …
WORTH_IT_S = 240.0  # … nor what has less than this left

log = logging.getLogger(__name__)


@dataclass
class Foresight:
    """Looks ahead once, and has the trainer's progress count what it saw.

    seconds_of_ranking: asks how long what is ranked at the end will take
    started: when training had its first tick; is_done: whether it has looked
    """

    trainer: Trainer
    seconds_of_ranking: Callable[[], float]
    started: float = 0.0
    is_done: bool = False

    def at_tick(self, progress: Progress) -> None:
        """Looks ahead where training has run for a while, and there is much left."""
        self.started = self.started or time.monotonic()
        if self.is_done or time.monotonic() - self.started < AFTER_S or progress.seconds_left < WORTH_IT_S:
            return
        self.is_done = True
        self._time_phases()
        self.trainer.then_s = self.seconds_of_ranking()
        left = self.trainer.progress().seconds_left
        until = datetime.now() + timedelta(seconds=left)
        log.info(
            "about %s left, ranking %s of them; until %s",
            shown_duration(left),
            shown_duration(self.trainer.then_s),
            f"{until:%a %H:%M}",
        )

    def _time_phases(self) -> None:
        """Times the kinds of phases that have not begun, on a copy of the state, where memory holds one."""
        trainer = self.trainer
        begun = trainer.phases[: trainer.state.cursor.phase + 1]
        waiting = {
            phase.updates: number
            for number, phase in reversed(list(enumerate(trainer.phases)))
            if phase.updates not in {each.updates for each in begun}
        }
        if not waiting or not self._may_copy():
            return
        state = map_tensors(lambda value: value.clone(), trainer.state)
        steps = trainer.ticks.num_updating_steps
        for updates, number in waiting.items():
            trainer.expected[updates] = (
                pace_of(trainer, number, state).step_s * steps / trainer.events_of_epoch
            )

    def _may_copy(self) -> bool:
        """Whether a copy is possible: a captured step holds on to its own state, and one of several processes waits."""
        size, free = sum(each.nbytes for each in tensors_of(self.trainer.state)), free_memory()
        on_cpu = self.trainer.state.device.type == "cpu" and process_group().world_size == 1
        return on_cpu and (free is None or 2 * size < free)
