"""A run's folder: what it was asked to do, how it stands, and what it left."""

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from prnn_cli.errors import UserError, first_line
from prnn_cli.run_shapes import STATUS, damage_of_result
from prnn_cli.system.file_format import FORMAT, FileFormat, OtherFormatError
from prnn_cli.system.files import write_json
from prnn_cli.system.locks import is_locked, try_lock
from prnn_cli.system.shapes import misfit
from prnn_cli.system.yaml_files import check_yaml, escaped

OVERRIDES = Path(".hydra") / "overrides.yaml"
CONFIG = Path(".hydra") / "config.yaml"
SEARCHED_FIRST = "search"  # in the folder of a sweep, the searches that tune=[…] asks for
# What the configs call a folder that nobody names.
DATED = re.compile(r"([a-z]+_)?\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d-\d{6}(_.+)?")
CHECKSUMS = "files"  # of metrics.json: the name of a file beside it -> a hash of its content
# Format 2 did not carry the run's origin.
METRICS = FileFormat("result", 3, "read it with the prnn that wrote it, or train again in another folder")


@dataclass(frozen=True)
class RunFolder:
    """Names of the files in a run's folder, and what they say; `run_start` tells who may begin a run there."""

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
        """The path of metrics.json. It is written last: where it is, the run is finished."""
        return self.path / "metrics.json"

    @property
    def model_file(self) -> Path:
        return self.path / "model.safetensors"

    @property
    def epochs_file(self) -> Path:
        """The path of epochs.csv, a line for each epoch that training has ended."""
        return self.path / "epochs.csv"

    @property
    def items_file(self) -> Path:
        """The path of the items that the model knows, by item_index."""
        return self.path / "items.parquet"

    def vectors_file(self, source: str) -> Path:
        """The path of the item vectors that the model reads, of one source of features."""
        return self.path / "features" / f"{source}.safetensors"

    @property
    def checkpoint_file(self) -> Path:
        return self.path / "checkpoint" / "state.safetensors"

    @property
    def checkpoint_files(self) -> list[Path]:
        """The checkpoints that exist, the newest first: the one before it is kept too, as files rot."""
        files = (self.checkpoint_file, self._previous_file)
        return [file for file in files if file.is_file()]

    @property
    def _previous_file(self) -> Path:
        return self.checkpoint_file.with_name("previous.safetensors")

    @property
    def best_file(self) -> Path:
        """The path of the state that is kept of the running stage, with training.select=best."""
        return self.path / "checkpoint" / "best.safetensors"

    def keep_checkpoint(self) -> None:
        """Keeps the newest checkpoint as the previous one, for the next one to take its place."""
        if not self.checkpoint_file.is_file():  # set aside as damaged: the previous one is all that there is
            return
        with suppress(OSError):  # a file system without links keeps one
            self._previous_file.unlink(missing_ok=True)
            os.link(self.checkpoint_file, self._previous_file)

    def forget_selecting(self) -> None:
        """Removes the states that a refit, whose own is written, does not go on from."""
        for file in (self._previous_file, self.best_file):
            file.unlink(missing_ok=True)

    def leave_checkpoints(self, keep: str) -> None:
        """Removes what a finished run has no use for: all checkpoints but the last, or, with keep=never, that too."""
        idle = self.checkpoint_files[1:] if keep == "last" else self.checkpoint_files
        for file in (*idle, self.best_file):
            file.unlink(missing_ok=True)
        with suppress(OSError):  # where one is left, or one that was set aside
            self.checkpoint_file.parent.rmdir()

    @property
    def how_to_resume(self) -> str:
        where = f"hydra.run.dir={self.path}"
        if searched := self._searches:
            # What tune=[…] searches first lies in a folder of its sweep.
            of_sweep = searched.name == SEARCHED_FIRST
            where = f"hydra.sweep.dir={searched.parent}" if of_sweep else f"search.folder={searched}"
        elif is_sweep(self.path.parent):
            where = f"hydra.sweep.dir={self.path.parent}"
        return f"to continue, run the same command with resume=true {where}"

    @property
    def _searches(self) -> Path | None:
        """The folder of the searches of which this run is a trial, if it is one."""
        with suppress(UserError):
            search = self.config().get("search")
            return Path(search.folder) if search and search.trial is not None else None
        return None

    def options_given(self) -> dict[str, str]:
        """What the run's command line gave values to: key or group -> the override as it was typed, such as
        {"epochs": "epochs=3"}; empty where it is not known any more."""
        try:
            overrides = OmegaConf.to_object(OmegaConf.load(self.path / OVERRIDES))
        except (OmegaConfBaseException, YAMLError, OSError, ValueError):
            return {}
        return {str(each).lstrip("+~").partition("=")[0]: str(each) for each in overrides or ()}

    def config(self) -> DictConfig:
        """The composed configuration that the run was started with. Raises `UserError` for a damaged one.

        It is data, and may be another's: all text in it is literal, so that ${oc.env:NAME} tells nothing of this
        machine.
        """
        file = self.path / CONFIG
        try:
            values = _values_in(file.read_text(encoding="utf-8"))
        except (OmegaConfBaseException, YAMLError, OSError, ValueError, LookupError) as error:
            raise UserError(
                f"{file} is damaged ({first_line(error)}); restore it, or train in another folder"
            ) from error
        if not isinstance(values, dict):
            raise UserError(
                f"{file} is damaged (it holds no settings); restore it, or train in another folder"
            )
        return literal(values)

    def metrics(self) -> dict[str, Any]:
        """The content of metrics.json.

        Raises `UserError` for a file that is damaged or absent, `OtherFormatError` for one of another format.
        """
        metrics = read_json(self.metrics_file)
        METRICS.check(self.metrics_file, metrics.get(FORMAT))
        if wrong := damage_of_result(metrics):
            raise UserError(f"{self.metrics_file} is damaged: {wrong}")
        return metrics

    def finished_epochs(self) -> int | None:
        """The epochs that a finished run was asked for; None where its metrics are absent or damaged.

        Raises `OtherFormatError`.
        """
        try:
            return self.metrics().get("epochs")
        except OtherFormatError:
            raise
        except UserError:
            return None

    @property
    def is_named_by_date(self) -> bool:
        """Whether prnn itself named the folder."""
        return bool(DATED.fullmatch(self.path.name))

    def is_of_another_command(self, *commands: str) -> bool:
        """Whether it is the folder of a command that is none of these."""
        with suppress(UserError):
            return self.is_begun() and self.status()["command"] not in commands
        return False

    def is_begun(self) -> bool:
        return self.status_file.is_file()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the folder, which is made if need be, until the context is left.

        Raises `UserError` while another process holds it; the kernel lets go of a dead one's hold.
        """
        with try_lock(self._lock_file) as is_ours:
            if not is_ours:
                raise UserError(f"another process works in {self.path}; wait for it, or stop it")
            yield

    def is_held(self) -> bool:
        """Whether a process works in the folder."""
        return is_locked(self._lock_file)

    @property
    def _lock_file(self) -> Path:
        return self.path / ".lock"

    def write_status(self, status: str, **details: Any) -> None:
        """Writes status.json anew. The command, if it is not among the details, is the one that it named before.

        status: running, done, failed or pruned; details: what `prnn status` tells, such as progress=… or reason=…
        """
        command = {} if "command" in details else {"command": self.status()["command"]}
        write_json(
            self.status_file,
            {"status": status, **command, **details, "pid": os.getpid(), "updated": time.time()},
        )

    def status(self) -> dict[str, Any]:
        """What status.json says, but `dead` for a run whose process is gone without a word.

        Raises `UserError` for a damaged file.
        """
        status = read_json(self.status_file)
        if wrong := misfit(status, STATUS):
            raise UserError(f"{self.status_file} is damaged: {wrong}")
        status.setdefault("updated", self.status_file.stat().st_mtime)
        if status["status"] == "running" and not is_locked(self._lock_file):
            status["status"] = "dead"
        return status

    def why_unfinished(self) -> str:
        """The reason why the run is not finished; empty for one that is."""
        if not self.is_begun():
            return "it never began; the launcher's own log says why"
        status = self.status()
        return "" if status["status"] == "done" else str(status.get("reason") or status["status"])


def is_sweep(path: Path) -> bool:
    """Whether Hydra has begun a sweep in the folder."""
    return (path / "multirun.yaml").is_file()


def runs_in(path: Path) -> list[RunFolder]:
    """The runs of a sweep's folder; none in the folder of a run."""
    if RunFolder(path).is_begun() or not path.is_dir():
        return []
    folders = (RunFolder(each) for each in sorted(path.iterdir()) if each.is_dir())
    return [folder for folder in folders if folder.is_begun()]


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises `UserError` for a damaged one."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise UserError(f"{path} is damaged ({error})") from error
    if not isinstance(value, dict):
        raise UserError(f"{path} is damaged: it holds no object")
    return value


@lru_cache(maxsize=4)
def _values_in(text: str) -> Any:
    """What a configuration's YAML holds, unresolved and not to be changed: a command asks for the same several times,
    and reading it takes longer than much of what is done with it."""
    check_yaml(text)
    return OmegaConf.to_container(OmegaConf.load(StringIO(text)), resolve=False)


def literal(values: Any) -> DictConfig:
    """A configuration of plain values, in whose texts nothing is resolved."""
    config: DictConfig = OmegaConf.create(escaped(values))
    return config


def flat(config: DictConfig) -> dict[str, Any]:
    """The options of a configuration by their dotted paths: {"dataset.path": …, "epochs": …}."""
    flat: dict[str, Any] = {}
    nodes: list[tuple[str, Any]] = [("", OmegaConf.to_container(config, resolve=True))]
    while nodes:
        path, node = nodes.pop()
        if isinstance(node, dict):
            nodes += [(f"{path}.{key!s}".lstrip("."), value) for key, value in node.items()]
        else:
            flat[path] = node
    return flat
