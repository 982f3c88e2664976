"""A model that is being served: a finished run with its engine, and the words for what it is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from prnn_cli.data.item_lookup import place_in
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
    def load(cls, folder: str, new_items: str | None = None, boost: float | None = None) -> "ServedModel":
        """Raises `UserError` where `load_run` does."""
        run = load_run(folder, new_items, boost)
        item_ids = run.items["item_id"].tolist()
        index = {item: number for number, item in enumerate(item_ids)}
        return cls(run.folder.resolve().name, run, Engine(run.network), item_ids, index)

    def told(self, items: Sequence[str]) -> tuple[list[int], list[str]]:
        """The item_index of the ids that are known, in order, and the other ids."""
        places = [place_in(self.index, item) for item in items]
        unknown = [item for item, place in zip(items, places, strict=True) if place < 0]
        return [place for place in places if place >= 0], list(dict.fromkeys(unknown))

    def known(self, items: Sequence[str]) -> np.ndarray:
        """The item_index of the ids that are known."""
        return np.array(self.told(items)[0], dtype=np.int64)

    def without_repeats(self, clicks: Sequence[int]) -> list[int]:
        """The clicks as training saw them: of consecutive ones on one item the first, with dataset.drop_repeats."""
        if not self.run.settings.dataset.drop_repeats:
            return list(clicks)
        return [item for item, _ in groupby(clicks)]
