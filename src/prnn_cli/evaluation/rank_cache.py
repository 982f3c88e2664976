"""Ranks of a baseline on disk: the runs of a table share its data and settings, so the first of them ranks for all."""

import dataclasses
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from prnn_cli.data.sessions import Sessions
from prnn_cli.evaluation.ranking import Ranks
from prnn_cli.schema import EvaluationConfig
from prnn_cli.system.files import hash_of, remove_remains, set_aside
from prnn_cli.system.tensor_files import DamagedFileError, read_tensors, write_tensors

FORMAT_VERSION = (
    2  # part of the hash: raise it with every change of a baseline, of the ranking or of what is written
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RankCache:
    """
    file: named by a hash of the data and of all settings that ranks depend on; cut-offs and tie modes are not among
        them, as they are applied to the ranks
    """

    name: str
    file: Path

    @classmethod
    def of(
        cls, cache_dir: Path, data_hash: str, name: str, settings: Mapping[str, Any], config: EvaluationConfig
    ) -> "RankCache":
        identity = [FORMAT_VERSION, data_hash, name, dict(settings), config.part, config.candidates]
        return cls(name, cache_dir / "ranks" / f"{name}-{hash_of(identity)}.safetensors")

    def get(self, sessions: Sessions) -> Ranks | None:
        """Those of an earlier run; None, with a warning where the file is damaged, if they are to be made."""
        remove_remains(self.file.parent)
        if not self.file.exists():
            return None
        try:
            stored, _ = read_tensors(self.file)
            ranks = Ranks(**{name: value.numpy() for name, value in stored.items()})
            expected = sessions.num_events - sessions.num_sessions
            if ranks.num_events != expected:
                raise DamagedFileError(f"{ranks.num_events} events, not {expected}")
        except DamagedFileError as damage:
            aside = set_aside(self.file).name
            log.warning(
                "the ranks in %s cannot be read (%s); set aside as %s, ranking again",
                self.file,
                damage,
                aside,
            )
            return None
        log.info("reusing the ranks of %s in %s", self.name, self.file)
        return ranks

    def put(self, ranks: Ranks) -> Ranks:
        columns = {field.name: getattr(ranks, field.name) for field in dataclasses.fields(Ranks)}
        write_tensors(self.file, {name: torch.from_numpy(values) for name, values in columns.items()})
        return ranks
