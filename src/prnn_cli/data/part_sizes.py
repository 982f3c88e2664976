"""The size of the parts that are ranked: what is almost nothing is refused, what is little is warned of."""

import logging
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from prnn_cli.data.parts import DAY_S, PARTS
from prnn_cli.data.splits.rules import SPLITS
from prnn_cli.errors import SmallPartError
from prnn_cli.schema import DatasetConfig

FEW = 500  # ranked events: a share of 0.4 of so many has a 95 % interval of ±0.04, a tenth of it
DAYS_SHOWN = 7

log = logging.getLogger(__name__)


def about_days(events: pd.DataFrame, decided_by: str) -> dict[str, Any]:
    """What a summary tells of days (UTC); events: of `SplitLog`; decided_by: as in `SplitRule`.

    last_days: the last that hold sessions, the latest last: {"day": "2011-02-22", "sessions", "ranked"}, the last of
        which are the events but for the first of each session, as many as are ranked in a test part
    enough_days: the number of last days that make a test part large enough, or half of the log, and what they hold
    """
    days = _days(events, decided_by)
    enough = _enough_days(days, sum(each["sessions"] for each in days))
    return {"last_days": days[-DAYS_SHOWN:], "enough_days": enough}


def _days(events: pd.DataFrame, decided_by: str) -> list[dict[str, Any]]:
    index = events["session_index"].to_numpy()
    starts = np.flatnonzero(np.diff(index, prepend=-1))
    lengths = np.diff(starts, append=len(index))
    deciding = starts if decided_by == "first_event" else starts + lengths - 1
    day_of_session = (events["time"].to_numpy()[deciding] // DAY_S).astype(np.int64)
    days, which = np.unique(day_of_session, return_inverse=True)
    sessions, ranked = np.bincount(which), np.bincount(which, weights=lengths - 1)
    return [
        {
            "day": str(date(1970, 1, 1) + timedelta(days=int(day))),
            "sessions": int(count),
            "ranked": int(clicks),
        }
        for day, count, clicks in list(zip(days, sessions, ranked, strict=True))
    ]


def check_enough_to_rank(summary: dict[str, Any], dataset: DatasetConfig, part: str) -> None:
    """Warns where few events of a part are ranked; raises `UserError` where it is fewer than the dataset's minimum.

    summary: of `PreparedData`; it holds the part
    """
    ranked = _num_ranked(summary, part)
    if ranked < dataset.min_ranked_events:
        raise SmallPartError(
            f"{_size(summary, part)}, fewer than dataset.min_ranked_events={dataset.min_ranked_events}: metrics over "
            f"so few say nothing; {_remedy(summary, dataset, part)}, or allow it with "
            f"dataset.min_ranked_events={max(ranked, 1)}",
            part,
        )
    warn_of_few(summary, dataset, part)


def warn_of_few(summary: dict[str, Any], dataset: DatasetConfig, part: str) -> None:
    """Warns where a part has fewer than `FEW` events to rank."""
    if part in summary and _num_ranked(summary, part) < FEW:
        log.warning(
            "%s: differences of a tenth between methods may be chance; %s",
            *(_size(summary, part), _remedy(summary, dataset, part)),
        )


def _num_ranked(summary: dict[str, Any], part: str) -> int:
    sessions, events = summary[part]["sessions"], summary[part]["events"]
    ranked: int = sessions if summary.get("ranks_last_only") else events - sessions
    return ranked


def _size(summary: dict[str, Any], part: str) -> str:
    sessions, ranked = summary[part]["sessions"], _num_ranked(summary, part)
    return (
        f"the {part} part holds {sessions:,} session{'s' * (sessions != 1)} with {ranked:,} "
        f"event{'s' * (ranked != 1)} to rank"
    )


def _remedy(summary: dict[str, Any], dataset: DatasetConfig, part: str) -> str:
    if part == "test" and "test_days" in SPLITS[dataset.split].options:
        return _other_days(summary, dataset)
    return SPLITS[dataset.split].advice(part, dataset)


def _other_days(summary: dict[str, Any], dataset: DatasetConfig) -> str:
    """The last days, and the options that would give a larger test part."""
    days = summary["last_days"]
    listed = ", ".join(f"{each['day']} {each['sessions']:,}" for each in days)
    counts = f"sessions of the last days (UTC): {listed}"
    if dataset.test_from is not None:
        return f"{counts}; {SPLITS[dataset.split].advice('test', dataset)}"
    num_days, ranked = summary.get("enough_days") or _enough_days(days, _num_sessions(summary))
    larger = "give a log of more days"
    if num_days > dataset.test_days:
        held = "" if ranked >= FEW else f", half of the log, which holds {ranked:,}, or {larger}"
        larger = f"set dataset.test_days={num_days}{held}"
    full = [each["day"] for each in days[1:] if each["ranked"] >= FEW]
    if full and full[-1] != days[-1]["day"]:
        end = date.fromisoformat(full[-1]) + timedelta(days=1)
        larger += f", or leave the thin end out with dataset.test_until={end}"
    return f"{counts}; {larger}"


def _num_sessions(summary: dict[str, Any]) -> int:
    return sum(summary[part]["sessions"] for part in PARTS if part in summary)


def _enough_days(days: Sequence[dict[str, Any]], num_sessions: int) -> list[int]:
    """The number of last days that hold `FEW` ranked events, or as many as hold no more than half of the sessions, and
    the events that they hold."""
    last = date.fromisoformat(days[-1]["day"])
    ranked, sessions, num_days = 0, 0, 0
    for each in reversed(days):
        sessions += each["sessions"]
        if ranked >= FEW or sessions > num_sessions / 2:
            break
        ranked += each["ranked"]
        num_days = (last - date.fromisoformat(each["day"])).days + 1
    return [num_days, ranked]
