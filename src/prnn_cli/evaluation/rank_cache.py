"""Ranks of a baseline on disk: the runs of a table share its data and settings, so the first of them ranks for all."""

import dataclasses
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from prnn_cli.data.sessions import Sessions
from prnn_cli.errors import first_line
from prnn_cli.evaluation.ranking import Ranks
from prnn_cli.files import atomic_write, hash_of, remove_remains, set_aside
from prnn_cli.schema import EvaluationConfig

FORMAT_VERSION = (
    1  # part of the hash: raise it with every change of a baseline, of the ranking or of what is written
)

UNREADABLE = (OSError, ValueError, KeyError, pa.ArrowException)  # what a damaged file makes the reader raise

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
        return cls(name, cache_dir / "ranks" / f"{name}-{hash_of(identity)}.parquet")

    def get(self, sessions: Sessions) -> Ranks | None:
        """Those of an earlier run; None, with a warning where the file is damaged, if they are to be made."""
        remove_remains(self.file.parent)
        if not self.file.exists():
            return None
        try:
            table = pq.ParquetFile(self.file, page_checksum_verification=True).read()
            ranks = Ranks(**{name: table[name].to_numpy() for name in _columns()})
            expected = sessions.num_events - sessions.num_sessions
            if ranks.num_events != expected:
                raise ValueError(f"{ranks.num_events} events, not {expected}")
        except UNREADABLE as error:
            reason = first_line(error)
            aside = set_aside(self.file).name
            log.warning(
                "the ranks in %s cannot be read (%s); set aside as %s, ranking again",
                self.file,
                reason,
                aside,
            )
            return None
        log.info("reusing the ranks of %s in %s", self.name, self.file)
        return ranks

    def put(self, ranks: Ranks) -> Ranks:
        columns: dict[str, np.ndarray] = {name: getattr(ranks, name) for name in _columns()}
        with atomic_write(self.file) as temporary:
            pq.write_table(pa.table(columns), temporary, compression="zstd", write_page_checksum=True)
        return ranks


def _columns() -> list[str]:
    return [field.name for field in dataclasses.fields(Ranks)]
