"""What others have published: the paper's Tables 2 to 4, of data that nobody else has, and values of public logs."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pandas as pd


@cache
def published() -> pd.DataFrame:
    """Published recall@20 and mrr@20 by (table, row), in the order of their sources.

    table: the name of an experiment; row: a baseline's, or that of a row; dataset: the public log, by the name of its
    config, "" of the paper's own; windows: how many of a log's windows the values are means over, 0 of none;
    source: the paper, or repository and file
    """
    file = Path(__file__).with_name("published.csv")
    return pd.read_csv(file, index_col=["table", "row"], keep_default_na=False)


def published_value(table: str | None, row: str | None, metric: str) -> float | None:
    """The value that was published; None where none was."""
    values = published()
    if (table, row) not in values.index or metric not in values:
        return None
    return float(values[metric].to_dict()[table, row])


def rank_correlation(pairs: Sequence[tuple[float, float]]) -> float:
    """Spearman's rank correlation of the pairs' values, -1 to 1; NaN where the first or the second never changes."""
    first, second = pd.DataFrame(pairs).rank().to_numpy().T
    return float(pd.Series(first).corr(pd.Series(second)))


def paper_order() -> dict[str, int]:
    """The place of each row in the published tables, the paper's first, from 0."""
    return {row: place for place, row in enumerate(dict.fromkeys(published().index.get_level_values("row")))}
