"""A model that is being served: a finished run with its engine, and the words for what it is asked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from prnn_cli.serving.engine import Engine
from prnn_cli.serving.finished_run import Run, load_run


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A run, ready to answer.

    name: of its folder; item_ids: by item_index; index: item_index by id
    """

    name: str
    run: Run
    engine: Engine
    item_ids: list[str]
    index: dict[str, int]

    @classmethod
    def load(cls, folder: str, new_items: str | None = None) -> "ServedModel":
        """Raises `UserError` where `load_run` does."""
        run = load_run(folder, new_items)
        item_ids = run.items["item_id"].tolist()
        index = {item: number for number, item in enumerate(item_ids)}
        return cls(run.folder.resolve().name, run, Engine(run.network), item_ids, index)

    def told(self, items: Sequence[str]) -> tuple[list[int], list[str]]:
        """The item_index of the ids that are known, in order, and the other ids."""
        known = [self.index[item] for item in items if item in self.index]
        return known, list(dict.fromkeys(item for item in items if item not in self.index))

    def known(self, items: Collection[str]) -> np.ndarray:
        """The item_index of the ids that are known."""
        return np.array([self.index[item] for item in items if item in self.index], dtype=np.int64)
