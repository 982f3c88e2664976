"""The origin of a run: all that its result depends on. Each file of the run carries it, and each reader compares it.

A checksum says that a file is whole; the origin says that it is this run's.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from prnn_cli.errors import UserError
from prnn_cli.run_folder import CONFIG, flat
from prnn_cli.schema import Mark, is_marked
from prnn_cli.system.files import hash_of


@dataclass(frozen=True)
class Origin:
    """What a run is made from.

    seed, epochs: as text
    settings: a hash of the other options that may not change on resumption
    data: the hash of the prepared data
    items: a hash of items.parquet
    vectors: source of features -> a hash of the items' vectors
    code: what an extension adds, such as "LOSSES mine" -> a hash of its source
    """

    seed: str
    epochs: str
    settings: str
    data: str
    items: str
    vectors: dict[str, str]
    code: dict[str, str]

    @classmethod
    def of(
        cls, config: DictConfig, data: str, items: str, vectors: Mapping[str, str], code: Mapping[str, str]
    ) -> "Origin":
        """The origin of a run whose folder holds `config`."""
        return cls(*decided_by(config), data, items, dict(vectors), dict(code))

    @classmethod
    def read(cls, stored: Any, path: Path) -> "Origin":
        """The origin that a file carries. Raises `UserError` where `stored` is none."""
        if not isinstance(stored, dict) or set(stored) != {each.name for each in fields(cls)}:
            raise UserError(f"{path} is damaged: it does not say what it was made from")
        return cls(**stored)

    @classmethod
    def of_result(cls, metrics: Mapping[str, Any], config: DictConfig, path: Path) -> "Origin":
        """The origin in the metrics.json at `path`. Raises `UserError` where it is none, or not made by `config`."""
        origin = cls.read(metrics.get("origin"), path)
        seed, epochs, settings = decided_by(config)
        decided = replace(origin, seed=seed, epochs=epochs, settings=settings)
        decided.refuse_other(path, origin, "restore both files, or train in another folder")
        return origin

    def as_json(self) -> dict[str, Any]:
        """An object for `read`."""
        return asdict(self)

    def refuse_other_beginning(self, path: Path, found: "Origin", remedy: str) -> None:
        """Like `refuse_other`, for a checkpoint, from which a run may go on with other epochs."""
        self.refuse_other(path, replace(found, epochs=self.epochs), remedy)

    def refuse_other(self, path: Path, found: "Origin", remedy: str) -> None:
        """Raises `UserError` for a file at `path` whose origin, `found`, is not this one.

        remedy: what to do with a file of another run
        """
        for name, now, before in (
            ("seed is", self.seed, found.seed),
            ("epochs are", self.epochs, found.epochs),
        ):
            if now != before:
                raise UserError(f"{path} belongs to another run: its {name} {before}, not {now}; {remedy}")
        if found.settings != self.settings:
            raise UserError(
                f"{path} belongs to another run: it was made by other settings than those in {CONFIG} of its folder; "
                f"{remedy}"
            )
        if changed := self._changed_since(found):
            raise UserError(
                f"{changed} changed since {path} was made; restore what they were made from, or train in another folder"
            )

    def _changed_since(self, before: "Origin") -> str:
        """What is other than before, for a sentence; empty where nothing is."""
        if self.data != before.data or self.items != before.items:
            return "the data have"
        if vectors := _differing(self.vectors, before.vectors):
            return f"the vectors of {', '.join(vectors)} have"
        return f"the code of {', '.join(code)} has" if (code := _differing(self.code, before.code)) else ""


def decided_by(config: DictConfig) -> tuple[str, str, str]:
    """The parts of an origin that a configuration decides: seed, epochs and settings."""
    options = flat(config)
    kept = {
        key: float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
        for key, value in options.items()
        if key not in ("seed", "epochs") and not is_marked(key, Mark.FREE_ON_RESUME)
    }
    return str(options.get("seed")), str(options.get("epochs")), hash_of(kept)


def _differing(now: Mapping[str, str], before: Mapping[str, str]) -> list[str]:
    return [name for name in {**before, **now} if before.get(name) != now.get(name)]
