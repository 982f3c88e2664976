"""The values that the paper printed (RecSys 2016, Tables 2 to 4), for orientation: they are of other data."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pandas as pd


@cache
def published() -> pd.DataFrame:
    """The paper's recall@20 and mrr@20 by (table, row), in its order."""
    return pd.read_csv(Path(__file__).with_name("published.csv"), index_col=["table", "row"])


def published_value(table: str | None, row: str | None, metric: str) -> float | None:
    """The paper's value; None where it printed none."""
    values = published()
    if (table, row) not in values.index or metric not in values:
        return None
    return float(values[metric].to_dict()[table, row])


def rank_correlation(pairs: Sequence[tuple[float, float]]) -> float:
    """Spearman's rank correlation of the pairs' values, -1 to 1; NaN where the first or the second never changes."""
    first, second = pd.DataFrame(pairs).rank().to_numpy().T
    return float(pd.Series(first).corr(pd.Series(second)))


def paper_order() -> dict[str, int]:
    """The place of each row in the paper's tables, from 0."""
    return {row: place for place, row in enumerate(dict.fromkeys(published().index.get_level_values("row")))}
