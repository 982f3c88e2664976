"""A run's folder: what it was asked to do, how it stands, and what it left."""

import json
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.conf import HydraConf
from omegaconf import DictConfig, OmegaConf

from prnn_cli.errors import UserError
from prnn_cli.files import write_json, write_text

CONFIG = Path(".hydra") / "config.yaml"

# What may differ between a run and its resumption: none of these changes a number that is trained.
FREE_ON_RESUME = ("resume", "label", "hardware", "checkpoint", "cache_dir")


@dataclass(frozen=True)
class RunFolder:
    path: Path

    @classmethod
    def existing(cls, path: str) -> "RunFolder":
        folder = cls(Path(path))
        if not folder.status_file.is_file():
            hint = "it holds no status.json" if folder.path.is_dir() else "there is no such folder"
            raise UserError(
                f"run={path} is not the folder of a run ({hint}); give one that prnn train printed"
            )
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

    def config(self) -> DictConfig:
        """The composed configuration that the run was started with."""
        loaded = OmegaConf.load(self.path / CONFIG)
        assert isinstance(loaded, DictConfig)
        return loaded

    def is_taken(self) -> bool:
        """Whether the folder holds anything but an empty log, which logging makes before a run begins."""
        return self.path.is_dir() and any(
            not (entry.suffix == ".log" and entry.stat().st_size == 0) for entry in self.path.iterdir()
        )

    def begin(self, config: DictConfig, hydra: HydraConf, resume: bool) -> None:
        """Takes the folder for a run. Raises `UserError` where it holds another one, or a different configuration."""
        if self.is_taken():
            if not resume:
                raise UserError(
                    f"{self.path} is not empty; add resume=true to continue the run in it, or choose another "
                    "hydra.run.dir"
                )
            self._refuse_running()
            if self.checkpoint_file.is_file() or self.metrics_file.is_file():
                self._refuse_other_config(config)
        write_text(self.path / CONFIG, OmegaConf.to_yaml(config, resolve=True))
        write_text(self.path / ".hydra" / "hydra.yaml", OmegaConf.to_yaml(OmegaConf.create({"hydra": hydra})))
        write_text(self.path / ".hydra" / "overrides.yaml", OmegaConf.to_yaml(hydra.overrides.task))

    def _refuse_running(self) -> None:
        if self.status_file.is_file() and (status := self.status())["status"] == "running":
            raise UserError(
                f"{self.path} is being worked on by process {status['pid']} on {status['host']}; wait for it or stop it"
            )

    def _refuse_other_config(self, config: DictConfig) -> None:
        before, now = _flat(self.config()), _flat(config)
        changed = [
            f"{key} was {before.get(key)} and is now {now.get(key)}"
            for key in sorted(before.keys() | now.keys())
            if before.get(key) != now.get(key) and key.split(".")[0] not in FREE_ON_RESUME
        ]
        if changed:
            raise UserError(
                f"cannot resume {self.path} with another configuration: {'; '.join(changed)}; "
                f"only {', '.join(FREE_ON_RESUME[1:])} may change"
            )

    def write_status(self, status: str, **details: Any) -> None:
        """status: running, done or failed."""
        write_json(
            self.status_file,
            {
                "status": status,
                **details,
                "pid": os.getpid(),
                "host": platform.node(),
                "updated": time.time(),
            },
        )

    def status(self) -> dict[str, Any]:
        """As written; a run whose process is gone without a word is `dead`."""
        try:
            status: dict[str, Any] = json.loads(self.status_file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UserError(f"{self.status_file} is damaged ({error})") from error
        if (
            status["status"] == "running"
            and status["host"] == platform.node()
            and not _is_alive(status["pid"])
        ):
            status["status"] = "dead"
        return status


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _flat(config: DictConfig) -> dict[str, Any]:
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
