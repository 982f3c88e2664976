"""A run's folder: what it was asked to do, how it stands, and what it left."""

import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.conf import HydraConf
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from prnn_cli.errors import UserError, first_line
from prnn_cli.system.files import remove_remains, set_aside, write_json, write_text
from prnn_cli.system.locks import is_locked, try_lock

log = logging.getLogger(__name__)

CONFIG = Path(".hydra") / "config.yaml"

PATHS = (
    "dataset.path",
    "dataset.items.path",
    "dataset.items.vectors",
    "features.images.weights",
    "features.precomputed.path",
    "features.precomputed.item_ids",
)

# What may differ between a run and its resumption: none of these changes a number that is trained.
FREE_ON_RESUME = (
    "resume",
    "label",
    "seeds",
    "hardware",
    "checkpoint",
    "logger",
    "search",
    "tune",
    "table",
    "cache_dir",
)


@dataclass(frozen=True)
class RunFolder:
    path: Path

    @classmethod
    def existing(cls, path: str, command: str | None = None) -> "RunFolder":
        """Raises `UserError` where `path` holds no run, or none of this command."""
        folder = cls(Path(path))
        if not folder.is_begun():
            hint = "it holds no status.json" if folder.path.is_dir() else "there is no such folder"
            raise UserError(
                f"run={path} is not the folder of a run ({hint}); give one that prnn train printed"
            )
        if command and (found := folder.status()["command"]) != command:
            raise UserError(f"run={path} is the folder of prnn {found}; give one that prnn {command} printed")
        return folder

    @property
    def status_file(self) -> Path:
        return self.path / "status.json"

    @property
    def metrics_file(self) -> Path:
        """Written last: where it is, the run is finished."""
        return self.path / "metrics.json"

    @property
    def model_file(self) -> Path:
        return self.path / "model.safetensors"

    @property
    def checkpoint_file(self) -> Path:
        return self.path / "checkpoint" / "state.safetensors"

    @property
    def checkpoint_files(self) -> list[Path]:
        """Those that exist, the newest first: the one before it is kept too, as files rot."""
        files = (self.checkpoint_file, self.checkpoint_file.with_name("previous.safetensors"))
        return [file for file in files if file.is_file()]

    def keep_checkpoint(self) -> None:
        """As the previous one, until the next but one."""
        if not self.checkpoint_file.is_file():  # set aside as damaged: the previous one is all that there is
            return
        previous = self.checkpoint_file.with_name("previous.safetensors")
        with suppress(OSError):  # a file system without links keeps one
            previous.unlink(missing_ok=True)
            os.link(self.checkpoint_file, previous)

    @property
    def how_to_resume(self) -> str:
        return (
            f"to continue, run the same command with resume=true hydra.run.dir={self.path} "
            f"(a sweep: hydra.sweep.dir={self.path.parent})"
        )

    def config(self) -> DictConfig:
        """The composed configuration that the run was started with. Raises `UserError` for a damaged one."""
        file = self.path / CONFIG
        try:
            loaded = OmegaConf.load(file)
        except (OmegaConfBaseException, YAMLError, OSError, ValueError) as error:
            raise UserError(
                f"{file} is damaged ({first_line(error)}); restore it, or train in another folder"
            ) from error
        if not isinstance(loaded, DictConfig):
            raise UserError(
                f"{file} is damaged (it holds no settings); restore it, or train in another folder"
            )
        return loaded

    def is_begun(self) -> bool:
        return self.status_file.is_file()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Raises `UserError` while another process works in this folder."""
        with try_lock(self._lock_file) as is_ours:
            if not is_ours:
                raise UserError(f"another process works in {self.path}; wait for it, or stop it")
            yield

    @property
    def _lock_file(self) -> Path:
        return self.path / ".lock"

    def begin(self, command: str, config: DictConfig, hydra: HydraConf, resume: bool) -> bool:
        """Takes the folder for a run; False where the run in it is finished and there is nothing to do.

        Raises `UserError` where the folder holds anything else, or the run of another configuration.
        """
        config = with_absolute_paths(config)
        self._remove_remains()
        if self._is_taken() and not self._never_began_work(command):
            if resume:
                self._set_damaged_aside(command)
            self._refuse_what_is_no_resumption(command, resume)
            if self.checkpoint_files or self.metrics_file.is_file():
                self._refuse_other_config(config)
            else:
                log.warning("no checkpoint was written in %s yet: starting from the beginning", self.path)
            if self.metrics_file.is_file() and not self._is_to_be_extended(config):
                return False
        elif resume:
            level = (
                logging.INFO if hydra.mode == RunMode.MULTIRUN else logging.WARNING
            )  # rows that had not begun
            log.log(level, "nothing to resume in %s: starting from the beginning", self.path)
        self.write_status("running", command=command)
        write_text(self.path / CONFIG, OmegaConf.to_yaml(config, resolve=True))
        write_text(self.path / ".hydra" / "hydra.yaml", OmegaConf.to_yaml(OmegaConf.create({"hydra": hydra})))
        write_text(self.path / ".hydra" / "overrides.yaml", OmegaConf.to_yaml(hydra.overrides.task))
        return True

    def refuse_if_kept(self) -> None:
        """Raises `UserError` where a run of prnn train in it has begun work: only resume=true goes on there."""
        if self.is_begun() and not self._never_began_work("train"):
            self._refuse_what_is_no_resumption("train", resume=False)

    def _refuse_what_is_no_resumption(self, command: str, resume: bool) -> None:
        if not self.is_begun():
            raise UserError(f"{self.path} holds files but no run of prnn; choose another hydra.run.dir")
        if command != "train" or self.status()["command"] != command:
            raise UserError(
                f"{self.path} holds what prnn {self.status()['command']} left; choose another hydra.run.dir"
            )
        if not resume:
            raise UserError(
                f"{self.path} is not empty; add resume=true to continue the run in it, or choose another hydra.run.dir "
                "(of a sweep: hydra.sweep.dir)"
            )

    def _never_began_work(self, command: str) -> bool:
        """A run that was refused, or stopped, before it left anything worth keeping: its folder is free."""
        kept = (*self.checkpoint_files, self.metrics_file, self.path / "epochs.csv")
        return (
            self.is_begun()
            and not any(file.exists() for file in kept)
            and self.status()["command"] == command
            and self.status()["status"] in ("failed", "dead")
        )

    def _set_damaged_aside(self, command: str) -> None:
        """What a run can make again: how it stands, and the results of a finished one."""
        try:
            if self.is_begun():
                self.status()
        except UserError as damage:
            log.warning("%s; set aside as %s", damage, set_aside(self.status_file).name)
            self.write_status("failed", command=command, reason="status.json was damaged")
        try:
            if self.metrics_file.is_file():
                read_json(self.metrics_file)
        except UserError as damage:
            log.warning("%s; set aside as %s, evaluating again", damage, set_aside(self.metrics_file).name)

    def _is_to_be_extended(self, config: DictConfig) -> bool:
        """Whether more epochs are asked for than a finished run has had; its metrics are then kept by another name."""
        had = read_json(self.metrics_file).get("epochs", config.get("epochs"))
        if config.get("epochs") == had:
            return False
        self.metrics_file.rename(self.path / f"metrics-epochs{had}.json")
        return True

    def _is_taken(self) -> bool:
        """Whether the folder holds anything but the lock and an empty log, which logging makes before a run begins."""
        return any(
            entry.name != ".lock" and not (entry.suffix == ".log" and entry.stat().st_size == 0)
            for entry in self.path.iterdir()
        )

    def _remove_remains(self) -> None:
        """Temporary files of a process that was killed while it wrote."""
        for folder in (self.path, self.checkpoint_file.parent, (self.path / CONFIG).parent):
            remove_remains(folder)

    def _refuse_other_config(self, config: DictConfig) -> None:
        before, now = flat(self.config()), flat(config)
        changed = [
            f"{key} was {before.get(key)} and is now {now.get(key)}"
            for key in sorted(before.keys() | now.keys())
            if before.get(key) != now.get(key) and key.split(".")[0] not in FREE_ON_RESUME
            if not (
                key == "epochs" and now[key] > before[key]
            )  # the command knows whether they come at the end
        ]
        if changed:
            raise UserError(
                f"cannot resume {self.path} with another configuration: {'; '.join(changed)}; "
                f"only {', '.join(FREE_ON_RESUME[1:])} and more epochs may change"
            )

    def write_status(self, status: str, **details: Any) -> None:
        """status: running, done or failed. What earlier ones said of the command stays."""
        command = {} if "command" in details else {"command": self.status()["command"]}
        write_json(
            self.status_file,
            {"status": status, **command, **details, "pid": os.getpid(), "updated": time.time()},
        )

    def status(self) -> dict[str, Any]:
        """As written; a run whose process is gone without a word is `dead`."""
        status = read_json(self.status_file)
        if not {"status", "command"} <= status.keys():
            raise UserError(f"{self.status_file} is damaged: it says neither status nor command")
        if status["status"] == "running" and not self._is_held():
            status["status"] = "dead"
        return status

    def why_unfinished(self) -> str:
        """Empty for a finished run."""
        if not self.is_begun():
            return "it never began; the launcher's own log says why"
        status = self.status()
        return "" if status["status"] == "done" else str(status.get("reason") or status["status"])

    def _is_held(self) -> bool:
        return is_locked(self._lock_file)


def runs_in(path: Path) -> list[RunFolder]:
    """The runs of a sweep's folder; none in the folder of a run."""
    if RunFolder(path).is_begun() or not path.is_dir():
        return []
    folders = (RunFolder(each) for each in sorted(path.iterdir()) if each.is_dir())
    return [folder for folder in folders if folder.is_begun()]


def read_json(path: Path) -> dict[str, Any]:
    """Raises `UserError` for a damaged file."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise UserError(f"{path} is damaged ({error})") from error
    if not isinstance(value, dict):
        raise UserError(f"{path} is damaged: it holds no object")
    return value


def with_absolute_paths(config: DictConfig) -> DictConfig:
    """So that a run can be evaluated, and resumed, from another folder."""
    absolute = config.copy()
    OmegaConf.set_struct(absolute, False)
    OmegaConf.resolve(absolute)
    for key in PATHS:
        if path := OmegaConf.select(absolute, key):
            OmegaConf.update(absolute, key, str(Path(path).expanduser().absolute()))
    return absolute


def flat(config: DictConfig) -> dict[str, Any]:
    """{"dataset.path": …, "epochs": …}"""
    flat: dict[str, Any] = {}
    nodes: list[tuple[str, Any]] = [("", OmegaConf.to_container(config, resolve=True))]
    while nodes:
        path, node = nodes.pop()
        if isinstance(node, dict):
            nodes += [(f"{path}.{key!s}".lstrip("."), value) for key, value in node.items()]
        else:
            flat[path] = node
    return flat
