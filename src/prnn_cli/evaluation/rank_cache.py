"""Ranks of a baseline on disk: the runs of a table share its data and settings, so the first of them ranks for all."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from prnn_cli import baselines
from prnn_cli.data.sessions import Sessions
from prnn_cli.evaluation.ranking import Ranks
from prnn_cli.schema import EvaluationConfig
from prnn_cli.system.cache import Identity, load_arrays, load_or_make, save_arrays
from prnn_cli.system.tensor_files import DamagedFileError

# Part of the hash: raise it with every change of the ranking or of what is written.
FORMAT_VERSION = 4


@dataclass(frozen=True)
class RankCache:
    """A file for the ranks of the baseline `name`.

    identity: the data and all settings that ranks depend on; cut-offs and tie modes are not among them, as they are
        applied to the ranks
    """

    name: str
    file: Path
    identity: Identity

    @classmethod
    def of(
        cls, cache_dir: Path, data_hash: str, name: str, settings: Mapping[str, Any], config: EvaluationConfig
    ) -> "RankCache":
        value = [data_hash, name, dict(settings), config.part, config.candidates, _code_of_baselines()]
        identity = Identity.of(FORMAT_VERSION, value)
        return cls(name, cache_dir / "ranks" / f"{name}-{identity.hash}.safetensors", identity)

    def get(self, sessions: Sessions, rank: Callable[[], Ranks]) -> Ranks:
        """Ranks of an earlier run on the same sessions, else those that `rank` makes."""

        def load() -> Ranks:
            ranks = Ranks(**load_arrays(self.file, self.identity))
            expected = sessions.num_events - sessions.num_sessions
            if ranks.num_events != expected:
                raise DamagedFileError(f"{ranks.num_events} events, not {expected}")
            return ranks

        def make() -> Ranks:
            ranks = rank()
            save_arrays(self.file, self.identity, vars(ranks))
            return ranks

        return load_or_make(self.file, load, make, what=f"the ranks of {self.name}")


@cache
def _code_of_baselines() -> str:
    """A hash of the sources of prnn's own baselines, so that a changed one is ranked anew."""
    digest = hashlib.blake2b(digest_size=8)
    folder = Path(baselines.__file__).parent
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
