"""The start of a run: which folders are free for it, which run it may go on with, and what is refused."""

import logging
import shutil
from contextlib import suppress
from typing import Any

from hydra.conf import HydraConf
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from prnn_cli.errors import UserError
from prnn_cli.run_folder import CONFIG, OVERRIDES, RunFolder, flat, literal
from prnn_cli.schema import AUTO, Mark, TrainCommand, is_marked, marked
from prnn_cli.system.file_format import OtherFormatError
from prnn_cli.system.files import remove_remains, set_aside, write_text
from prnn_cli.system.paths import absolute_path, with_each_path
from prnn_cli.system.yaml_files import escaped

log = logging.getLogger(__name__)


OF_RUNS = ("verdict",)  # commands whose folders hold runs of prnn train, which are what is resumed
ROWS = "rows"  # the folder of these


def begin_run(folder: RunFolder, command: str, config: DictConfig, hydra: HydraConf, resume: bool) -> bool:
    """Takes the folder for a run; False where the run in it is finished and there is nothing to do.

    Raises `UserError` where the folder holds anything else, or the run of another configuration.
    """
    config = with_absolute_paths(config)
    _refuse_linked_logs(folder)
    _remove_remains(folder)
    if _is_taken(folder) and not _is_free_again(folder, command):
        if resume:
            _set_damaged_aside(folder, command)
        _refuse_what_is_no_resumption(folder, command, resume)
        if folder.checkpoint_files or folder.metrics_file.is_file() or command in OF_RUNS:
            _refuse_other_config(folder, config, may_grow=command not in OF_RUNS)
        else:
            log.warning("no checkpoint was written in %s yet: starting from the beginning", folder.path)
        if folder.metrics_file.is_file() and not _is_to_be_extended(folder, config):
            return False
    elif resume and hydra.mode == RunMode.RUN and folder.is_named_by_date:
        raise UserError(
            "resume=true goes on with a run in its folder, and none is named; add hydra.run.dir=DIR, the folder that "
            "the run printed"
        )
    elif resume:
        # In a sweep that goes on, rows that had not begun are nothing to warn of.
        level = logging.INFO if hydra.mode == RunMode.MULTIRUN else logging.WARNING
        log.log(level, "nothing to resume in %s: starting from the beginning", folder.path)
    folder.write_status("running", command=command)
    write_text(folder.path / CONFIG, OmegaConf.to_yaml(config, resolve=True))
    write_text(folder.path / ".hydra" / "hydra.yaml", OmegaConf.to_yaml(OmegaConf.create({"hydra": hydra})))
    write_text(folder.path / OVERRIDES, OmegaConf.to_yaml(hydra.overrides.task))
    return True


def discard_idle(folder: RunFolder) -> None:
    """Removes a folder that prnn named itself and that holds no work, as of a run that was refused.

    What is left in such a folder says what the console has said, and is found by nobody.
    """
    idle = {".hydra", folder.status_file.name, ".lock"}
    with suppress(OSError):
        if folder.is_named_by_date and all(
            entry.name in idle or entry.suffix == ".log" for entry in folder.path.iterdir()
        ):
            shutil.rmtree(folder.path)


def discard_log(folder: RunFolder, command: str) -> None:
    """Removes the log of a plan, and the folder that was made for it, where no run has begun there."""
    if folder.is_begun():
        return
    with suppress(OSError):
        (folder.path / f"{command}.log").unlink(missing_ok=True)
        folder.path.rmdir()


def refuse_if_kept(folder: RunFolder) -> None:
    """Raises `UserError` where a run of prnn train has begun work in the folder: only resume=true goes on there."""
    if folder.is_begun() and not _is_free_again(folder, "train"):
        _refuse_what_is_no_resumption(folder, "train", resume=False)


def with_absolute_paths(config: DictConfig) -> DictConfig:
    """A resolved copy whose files are found from another current folder too, for evaluation or resumption."""
    absolute = literal(OmegaConf.to_container(config, resolve=True))
    for key in (*marked(TrainCommand, Mark.PATH), "run"):  # the other commands have some of its groups
        if paths := OmegaConf.select(absolute, key):
            plain = OmegaConf.to_container(paths, resolve=True) if OmegaConf.is_config(paths) else paths
            found = with_each_path(plain, lambda path: str(absolute_path(path)))
            OmegaConf.update(absolute, key, escaped(found))
    return absolute


def _refuse_linked_logs(folder: RunFolder) -> None:
    """Raises `UserError` for a log that is a link: what is logged would end in a file elsewhere, such as a shell's."""
    if linked := next((file for file in folder.path.glob("*.log") if file.is_symlink()), None):
        raise UserError(f"{linked} is a link to {linked.readlink()}, which a run would write into; remove it")


def _remove_remains(folder: RunFolder) -> None:
    """Removes the temporary files of a process that was killed while it wrote."""
    for path in (folder.path, folder.checkpoint_file.parent, (folder.path / CONFIG).parent):
        remove_remains(path)


def _is_taken(folder: RunFolder) -> bool:
    """Whether the folder holds anything but the lock and an empty log, which logging makes before a run begins."""
    return any(
        entry.name != ".lock" and not (entry.suffix == ".log" and entry.stat().st_size == 0)
        for entry in folder.path.iterdir()
    )


def _is_free_again(folder: RunFolder, command: str) -> bool:
    """Whether the run in it was refused, or stopped, before it left anything worth keeping."""
    kept = (*folder.checkpoint_files, folder.metrics_file, folder.path / "epochs.csv", folder.path / ROWS)
    return (
        folder.is_begun()
        and not any(file.exists() for file in kept)
        and folder.status()["command"] == command
        and folder.status()["status"] in ("failed", "dead")
    )


def _set_damaged_aside(folder: RunFolder, command: str) -> None:
    """Sets aside what a run can make again: how it stands, and the results of a finished one."""
    try:
        if folder.is_begun():
            folder.status()
    except UserError as damage:
        log.warning("%s; set aside as %s", damage, set_aside(folder.status_file).name)
        folder.write_status("failed", command=command, reason="status.json was damaged")
    try:
        if folder.metrics_file.is_file():
            folder.metrics()
    except OtherFormatError:
        return
    except UserError as damage:
        log.warning("%s; set aside as %s, evaluating again", damage, set_aside(folder.metrics_file).name)


def _refuse_what_is_no_resumption(folder: RunFolder, command: str, resume: bool) -> None:
    if not folder.is_begun():
        raise UserError(f"{folder.path} holds files but no run of prnn; choose another hydra.run.dir")
    if command not in ("train", *OF_RUNS) or folder.status()["command"] != command:
        raise UserError(
            f"{folder.path} holds what prnn {folder.status()['command']} left; choose another hydra.run.dir"
        )
    if not resume:
        raise UserError(
            f"{folder.path} is not empty; add resume=true to continue the run in it, or choose another hydra.run.dir "
            "(of a sweep: hydra.sweep.dir)"
        )


def _refuse_other_config(folder: RunFolder, config: DictConfig, may_grow: bool) -> None:
    before, now = flat(folder.config()), flat(config)
    changed = [
        f"{key} was {before.get(key)} and is now {now.get(key)}"
        for key in sorted(before.keys() | now.keys())
        if before.get(key) != now.get(key) and not is_marked(key, Mark.FREE_ON_RESUME)
        # The command knows whether more of them come at the end.
        if not (may_grow and key == "epochs" and _is_more(now[key], before.get(key)))
    ]
    if changed:
        free = [name for name in marked(TrainCommand, Mark.FREE_ON_RESUME) if name != "resume"]
        raise UserError(
            f"cannot resume {folder.path} with another configuration: {'; '.join(changed)}; "
            f"only {', '.join(free)}{' and more epochs' if may_grow else ''} may change"
        )


def _is_more(epochs: Any, than: Any) -> bool:
    """Whether epochs are a larger number than others; either may be auto."""
    return all(str(each).isdecimal() for each in (epochs, than)) and int(epochs) > int(than)


def _is_to_be_extended(folder: RunFolder, config: DictConfig) -> bool:
    """Whether more epochs are asked for than a finished run has had; its metrics are then kept by another name."""
    had = folder.metrics()["epochs"]
    if str(config.get("epochs")) in (str(had), AUTO):
        return False
    folder.metrics_file.rename(folder.path / f"metrics-epochs{had}.json")
    return True
