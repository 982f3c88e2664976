"""The checkpoint that a run goes on from: the newest whole one, of the same data and extendable epochs."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple
from typing import Any

import torch

from prnn_cli.errors import UserError
from prnn_cli.origin import Origin
from prnn_cli.run_folder import RunFolder
from prnn_cli.system.distributed import process_group
from prnn_cli.system.files import set_aside
from prnn_cli.system.tensor_files import DamagedFileError
from prnn_cli.training.checkpoint import load_checkpoint, read_progress
from prnn_cli.training.resumption import continued
from prnn_cli.training.state import Cursor, TrainState
from prnn_cli.training.strategies import Phase

# (epochs of each subnet) -> the phases
Schedule = Callable[[int], list[Phase]]

REMEDY = "restore the run's own, or remove it to go on from what is left"

log = logging.getLogger(__name__)


def resumed_state(
    folder: RunFolder,
    origin: Origin,
    device: torch.device,
    schedule: Schedule,
    epochs: int,
) -> tuple[TrainState | None, str | None, float]:
    """The state that a run goes on from, the name of its executor, and the factor of its learning rates; None, None and
    1 where it has no checkpoint.

    A damaged checkpoint is set aside for the one before it. The number of threads that the run began with is set, as
    another number would round otherwise. Raises `UserError` for a checkpoint of another format or origin, or of epochs
    that cannot become so many.
    """
    loaded = _loaded_by_all(folder, origin, device)
    if loaded is None:
        return None, None, 1.0
    state, decisions = loaded
    if decisions["threads"] != torch.get_num_threads():
        log.info("%s threads, as the run began with", decisions["threads"])
        torch.set_num_threads(decisions["threads"])
    if decisions["device"] != device.type:
        log.warning(
            "the run began on %s and goes on on %s: last digits may differ", decisions["device"], device.type
        )
        decisions["executor"] = None  # of the other device
    cursor = state.cursor = _cursor_of(folder, state.cursor, decisions["epochs"], schedule, epochs)
    log.info("resuming at phase %d, epoch %d, step %d", cursor.phase + 1, cursor.epoch + 1, cursor.step)
    return state.sharded(), decisions["executor"], decisions["rate_factor"]


def _loaded_by_all(
    folder: RunFolder, origin: Origin, device: torch.device
) -> tuple[TrainState, dict[str, Any]] | None:
    """Loads the checkpoint in the folder of the first process, which goes first: it may set a damaged file aside."""
    group = process_group()
    loaded = _newest_whole(folder, origin, device) if group.is_main else None
    path = group.broadcast(folder.path.absolute())
    if not group.is_main:
        loaded = _newest_whole(RunFolder(path), origin, device)
    if len(set(group.all_gather(loaded and astuple(loaded[0].cursor)))) > 1:
        raise UserError(
            f"not all processes find the checkpoint in {path}; the run's folder must lie where all see it"
        )
    return loaded


def _newest_whole(
    folder: RunFolder, origin: Origin, device: torch.device
) -> tuple[TrainState, dict[str, Any]] | None:
    files = folder.checkpoint_files
    for file in files:
        try:
            loaded = load_checkpoint(file, device)
            origin.refuse_other_beginning(file, Origin.read(loaded[1].get("origin"), file), REMEDY)
            return loaded
        except DamagedFileError as damage:
            log.warning("%s is damaged (%s); set aside as %s", file, damage, set_aside(file).name)
    if files:
        log.warning("no whole checkpoint is left in %s: starting from the beginning", folder.path)
    return None


def code_before(folder: RunFolder) -> dict[str, str] | None:
    """The code of extensions that the run in a folder was trained by; None where nothing that can be read says it.

    Raises `OtherFormatError` for a result or a checkpoint of another format.
    """
    if folder.finished_epochs() is not None:
        return Origin.read(folder.metrics().get("origin"), folder.metrics_file).code
    for file in folder.checkpoint_files:
        with suppress(DamagedFileError):
            _, decisions = read_progress(file)
            return Origin.read(decisions.get("origin"), file).code
    return None


def check_more_epochs(folder: RunFolder, schedule: Schedule, epochs: int, can_grow: bool = True) -> None:
    """Raises `UserError` where a run cannot go on.

    Its checkpoint or its metrics are of another format, or it asks for other epochs than it had, and they don't come at
    its end. can_grow: False for a run that gets no other epochs at all
    """
    finished = folder.finished_epochs()
    if finished == epochs:  # its checkpoint is not needed
        return
    if finished is not None and not can_grow:
        raise _chosen_among(folder, finished, epochs)
    if finished is not None and not folder.checkpoint_files:
        raise UserError(
            f"cannot resume {folder.path} with epochs={epochs} instead of {finished}: the finished run kept no "
            "checkpoint (checkpoint.keep=never); train in another folder, with checkpoint.keep=last to add epochs later"
        )
    for file in folder.checkpoint_files:
        with suppress(DamagedFileError):
            cursor, decisions = read_progress(file)
            if not can_grow and decisions["epochs"] != epochs:
                raise _chosen_among(folder, decisions["epochs"], epochs)
            _cursor_of(folder, cursor, decisions["epochs"], schedule, epochs)
            return


def _chosen_among(folder: RunFolder, had: int, epochs: int) -> UserError:
    return UserError(
        f"cannot resume {folder.path} with epochs={epochs} instead of {had}: with training.select=best the epochs are "
        "chosen among those that the run began with; train in another folder"
    )


def _cursor_of(folder: RunFolder, cursor: Cursor, had: int, schedule: Schedule, epochs: int) -> Cursor:
    found = cursor if had == epochs else continued(cursor, schedule(had), schedule(epochs))
    if found is None:
        raise UserError(
            f"cannot resume {folder.path} with epochs={epochs} instead of {had}: phases that are over would have had "
            "other epochs; only the last phase can get more, as with strategy=simultaneous or interleaving, or more "
            "phases follow, as with strategy=alternating"
        )
    return found
