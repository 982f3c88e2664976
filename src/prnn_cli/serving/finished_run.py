"""A finished run in use: what its network recommends, its scores, its vectors and its metrics, from Python."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, overload

import numpy as np
import pandas as pd
import torch

from prnn_cli.data.new_sessions import NewSessions, sessions_of_lists
from prnn_cli.errors import UserError, first_line
from prnn_cli.evaluation.item_rules import ItemRules
from prnn_cli.evaluation.recommending import session_vectors
from prnn_cli.experiment.saved_model import SavedModel, check_saved_model, load_saved_model
from prnn_cli.networks.folded import FoldedNetwork, FoldedScorer, fold
from prnn_cli.schema import TrainCommand
from prnn_cli.serving.answering import answered
from prnn_cli.serving.explaining import check_explainable
from prnn_cli.serving.given_sessions import GivenSessions, blocks_of, keys_and_clicks
from prnn_cli.serving.item_lists import ItemList, checked, item_rules
from prnn_cli.serving.new_items import with_new_items

BLOCK = 10_000  # sessions of an iterator, at a time


class Run:
    """A finished run of prnn train.

    Sessions are lists of item ids (the latest click last), a dict of such lists by session, or a data frame of clicks
    (session_id, item_id and, unless the rows are in order, time). Ids are text: 7 is the item "7". Clicks on items that
    the model does not know are left out.
    """

    def __init__(self, folder: Path, saved: SavedModel, device: torch.device) -> None:
        self.folder = folder
        self.device = device
        self._saved = saved
        self._index = pd.Index(saved.items.item_ids, dtype=object)

    def __repr__(self) -> str:
        names = f"{self.settings.arch.name} on {self.settings.dataset.name}"
        return f"Run({str(self.folder)!r}: {names}, {self.num_items:,} items)"

    @property
    def metrics(self) -> dict[str, Any]:
        """The content of metrics.json."""
        return self._saved.metrics

    @property
    def settings(self) -> TrainCommand:
        """What it was trained with, every option of prnn train."""
        return self._saved.settings

    @property
    def num_items(self) -> int:
        return len(self._index)

    @property
    def items(self) -> pd.DataFrame:
        """The items that the model knows, a row each in the order of item_index: item_id, and support, its training
        events."""
        return pd.DataFrame({"item_id": self._saved.items.item_ids, "support": self._saved.items.support})

    @cached_property
    def network(self) -> FoldedNetwork:
        """The network, its features folded in."""
        return fold(self._saved.network, self._saved.parameters)

    @property
    def item_vectors(self) -> np.ndarray:
        """What a session's vector is multiplied with to give the logits, (num_items, D) float32: the rows of the output
        tables side by side, the bias as the last column of each."""
        return self.network.item_vectors.cpu().numpy().copy()  # which a caller may normalise in place

    def session_vectors(self, sessions: GivenSessions) -> np.ndarray:
        """The sessions' vectors (S, D) float32; those of a session without a known click are NaN."""
        _, clicks = keys_and_clicks(sessions)
        known = self._known(clicks).known
        vectors = np.full((len(clicks), self.network.item_vectors.shape[1]), np.nan, dtype=np.float32)
        vectors[known.session_index] = session_vectors(FoldedScorer(self.network), known, self.device)
        return vectors

    def scores(self, sessions: GivenSessions) -> np.ndarray:
        """The scores of all items after each session, (S, num_items) float32; NaN without a known click."""
        vectors = torch.from_numpy(self.session_vectors(sessions)).to(self.device)
        return self.network.scores_of(vectors @ self.network.item_vectors.T).cpu().numpy()

    @overload
    def recommend(
        self,
        sessions: GivenSessions,
        k: int = ...,
        *,
        exclude_clicked: bool = ...,
        allow: ItemList | None = ...,
        deny: ItemList | None = ...,
        explain: bool = ...,
    ) -> pd.DataFrame: ...

    @overload
    def recommend(
        self,
        sessions: Iterator[Sequence[Any]],
        k: int = ...,
        *,
        exclude_clicked: bool = ...,
        allow: ItemList | None = ...,
        deny: ItemList | None = ...,
        explain: bool = ...,
    ) -> Iterator[pd.DataFrame]: ...

    def recommend(
        self,
        sessions: GivenSessions | Iterator[Sequence[Any]],
        k: int = 20,
        *,
        exclude_clicked: bool = True,
        allow: ItemList | None = None,
        deny: ItemList | None = None,
        explain: bool = False,
    ) -> pd.DataFrame | Iterator[pd.DataFrame]:
        """The k best next items of each session, a row for each: session_id, rank (from 1), item_id, score.

        An iterator of sessions, of any length, gives an iterator of such frames, ten thousand sessions each, numbered
        from 0 throughout. A session without a known click, or that the rules leave nothing to recommend, has one row
        without rank, item and score. `frame.attrs["num_unknown"]` counts the clicks that were left out.

        exclude_clicked: nothing that the session has clicked
        allow, deny: the only items that may be recommended (those in stock), or that must not be; a dict gives some
            sessions lists of their own. Of these too, ids that the model does not know are left out.
        explain: a column more for each subnet, `share_id`, `share_text` …: the summands of which the score is f
        Raises `UserError` for k below 1 or above the number of items, sessions of another form, a list of allowed items
        of which none is known, and shares that cannot be told apart.
        """
        if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= self.num_items:
            raise UserError(
                f"k={k}: the model knows {self.num_items:,} items, of which 1 to all can be recommended"
            )
        if explain:
            check_explainable(self.network)
        rules = partial(
            item_rules,
            self._index,
            exclude_clicked=exclude_clicked,
            allow=checked(allow, "allow", self._index),
            deny=checked(deny, "deny", self._index),
        )
        if isinstance(sessions, Iterator):
            return (self._recommend(block, k, rules, explain) for block in blocks_of(sessions, BLOCK))
        return self._recommend(sessions, k, rules, explain)

    def _recommend(
        self, sessions: GivenSessions, k: int, rules_of: Callable[[Sequence[Any]], ItemRules], explain: bool
    ) -> pd.DataFrame:
        keys, clicks = keys_and_clicks(sessions)
        found = self._known(clicks)
        rules = rules_of([keys[place] for place in found.known.session_index])
        item_ids = self._saved.items.item_ids
        table = answered(FoldedScorer(self.network), found, k, rules, item_ids, explain, self.device)
        frame: pd.DataFrame = table.to_pandas().astype({"rank": "Int32"})
        place = frame["session_id"].to_numpy(dtype=np.int64)
        frame["session_id"] = pd.Series([keys[each] for each in place])  # as they were given
        frame.attrs["num_unknown"] = found.num_unknown
        return frame

    def _known(self, clicks: Sequence[Sequence[Any]]) -> NewSessions:
        """The sessions, whose ids are their places."""
        return sessions_of_lists(range(len(clicks)), clicks, self._index, self.settings.dataset)


def load_run(
    folder: str | Path,
    new_items: str | Path | None = None,
    boost: float | None = None,
    device: str = "cpu",
) -> Run:
    """The finished run in `folder`, which prnn train has printed.

    new_items: a file that describes items which it was not trained on, as its table of items does; they get rows made
        from their features, and are recommended like the others
    boost: how much they are, in place of the run's new_items.boost; above 1 more
    device: torch's name of where the network is
    Raises `UserError` where there is no such run, one of its files is damaged, or the file describes no new item.
    """
    check_saved_model(str(folder))
    where = _device(device)
    saved = load_saved_model(str(folder), where)
    if new_items is not None:
        saved = with_new_items(saved, str(new_items), boost)
    return Run(Path(folder), saved, where)


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(
            f"device={name} cannot be had here ({first_line(error)}); give cpu or cuda"
        ) from error
    return device
