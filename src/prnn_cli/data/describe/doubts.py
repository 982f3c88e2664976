"""The figures of a log's diagnostics -> what each means for conclusions, and which of them undermine these."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from prnn_cli.data.diagnostics import FEW_EVENTS, Diagnostics, Drift

# Above these a figure undermines conclusions; docs/data.md gives the reasons.
TIED, REPEATED = 0.2, 0.1
IN_SESSION, REPEATS, CHAIN, NEW_STEPS, RARE, UNKNOWN, LATE = 0.3, 0.2, 0.3, 0.5, 0.2, 0.1, 0.1
BEYOND = 0.1  # so far above what is usual on the log, or what chance makes


@dataclass(frozen=True)
class Figure:
    """A figure in words.

    key: its name in diagnostics.json; share: None where there is nothing to count; meaning: the sentence that `share`
    begins; is_doubt: whether it undermines conclusions
    """

    key: str
    name: str
    share: float | None
    meaning: str
    is_doubt: bool


def figures(found: Diagnostics, order: str | None, apart: str | None = None) -> list[Figure]:
    """The figures of a log, those that undermine conclusions first.

    order: the column that orders equal times; apart: the one that tells equal rows apart (`ColumnsConfig.tells_apart`)
    """
    listed = [*_of_order(found, order, apart), *_of_targets(found), *_of_items(found)]
    if found.drift is not None:
        listed += _of_drift(found.drift)
    return sorted(listed, key=lambda figure: not figure.is_doubt)


def figures_table(figures: Sequence[Figure]) -> pd.DataFrame:
    """A line for each figure; ! marks those that undermine conclusions."""
    lines = [
        ("!" * each.is_doubt, each.name, "" if each.share is None else f"{each.share:.1%}", each.meaning)
        for each in figures
    ]
    return pd.DataFrame(lines, columns=["!", "Figure", "share", "of what, and what it means"])


def as_json(found: Diagnostics, figures: Sequence[Figure]) -> dict[str, Any]:
    """The content of diagnostics.json: the figures, and the sentences of those that undermine conclusions."""
    sentences = {
        each.key: each.meaning if each.share is None else f"{each.share:.1%} {each.meaning}"
        for each in figures
        if each.is_doubt
    }
    return asdict(found) | {"warnings": sentences}


def _of_order(found: Diagnostics, order: str | None, apart: str | None) -> Iterator[Figure]:
    what = "of events share their time with another of their session"
    if found.tied is None:
        meaning = "there are no times: the order of the rows alone says what came first"
        yield Figure("tied", "tied times", None, meaning, is_doubt=False)
    elif order is not None:
        meaning = f"{what}: the column {order} orders them"
        yield Figure("tied", "tied times", found.tied, meaning, is_doubt=False)
    else:
        yield _judged(
            "tied", "tied times", found.tied, TIED, what,
            "they stand in the order of the rows",
            "they stand in the order of the rows; unless clicks do too, sequence models learn from "
            "pseudo-sequences",
        )  # fmt: skip
    if found.repeated is not None:
        yield _of_repeated(found.repeated, apart)
    if found.is_later is False:
        meaning = (
            "training holds sessions as late as the test part's, which a model in use never has: metrics may be "
            "too good"
        )
        yield Figure("is_later", "parts side by side", None, meaning, is_doubt=True)


def _of_repeated(share: float, apart: str | None) -> Figure:
    what = "of events have session, item and time of another"
    if apart is not None:
        meaning = f"{what}: the column {apart} tells them apart"
        return Figure("repeated", "repeated rows", share, meaning, is_doubt=False)
    return _judged(
        "repeated", "repeated rows", share, REPEATED, what,
        "double clicks, or clicks that the times do not tell apart",
        "more than double clicks make; an export that was doubled counts each click twice, so keep one of equal rows",
    )  # fmt: skip


def _of_targets(found: Diagnostics) -> Iterator[Figure]:
    yield _judged(
        "in_session", "item of session", found.in_session, IN_SESSION,
        "of targets are on an item that their session holds already",
        "showing its own items again hits these",
        "hits that take no model, so compare with session_popularity",
    )  # fmt: skip
    yield _judged(
        "same_as_last", "item just clicked", found.same_as_last, REPEATS,
        "of targets are on the item of the event before",
        "showing the last item again hits these",
        "hits that take no model; dataset.drop_repeats=true leaves them out",
    )  # fmt: skip
    yield _judged(
        "chain", "top successor", found.chain, CHAIN,
        "of targets are what followed the item before most often in training",
        "a Markov chain's recall@1",
        "a Markov chain's recall@1, so high that a longer memory has little to add; compare with markov first",
    )  # fmt: skip
    yield _judged(
        "new_steps", "new steps", found.new_steps, NEW_STEPS,
        "of targets never followed the item before in training",
        "a Markov chain cannot rank these",
        "a Markov chain cannot rank these, and a gain over it may be no more than that",
    )  # fmt: skip


def _of_items(found: Diagnostics) -> Iterator[Figure]:
    yield _judged(
        "rare", "rare items", found.rare, RARE,
        f"of targets are on items of fewer than {FEW_EVENTS} training events",
        "IDs can learn little of these",
        "IDs can learn little of these, so look at the metrics by item support",
    )  # fmt: skip
    if found.unseen:
        yield _judged(
            "unseen", "unseen items", found.unseen, UNKNOWN,
            "of targets are on items that training has not seen",
            "only features can rank these",
            "only features can rank these, so read the metrics of cold and warm items apart",
        )  # fmt: skip
    usual = f" ({found.drift.earlier.new:.1%} a window earlier)" if found.drift else ""
    what = "targets" if found.ranks_last_only else "test events"
    yield _judged(
        "dropped", "dropped items", found.dropped, UNKNOWN,
        f"of {what} were dropped, as training does not know their items{usual}",
        "metrics tell nothing of these",
        "metrics are those of an easier rest; dataset.keep_new_items=true keeps these",
    )  # fmt: skip


def _of_drift(drift: Drift) -> Iterator[Figure]:
    window, earlier = f"the last {drift.sessions:,} training sessions", drift.earlier
    yield _distance(drift, window)
    yield _judged(
        "absent", "items away", drift.test.absent, earlier.absent + BEYOND,
        f"of test events are on items absent from {window} ({earlier.absent:.1%} a window earlier)",
        "what is recent in training tells nothing of these",
        "so many more are unusual, so test on other days too",
    )  # fmt: skip
    yield _judged(
        "late", "late items", drift.test.late, LATE,
        f"of test events are on items first seen in {window} ({earlier.late:.1%} a window earlier)",
        "training knows these for a short time",
        "counts over all of training are too low for these, so compare with recent_popularity",
    )  # fmt: skip


def _distance(drift: Drift, window: str) -> Figure:
    share, usual, chance = drift.test.distance, drift.earlier.distance, drift.chance
    what = (
        f"of test events would have to change items to be spread as {window} are ({usual:.1%} a window earlier, "
        f"{chance:.1%} by chance)"
    )
    if share > usual + BEYOND:
        doubt = "the test part is unusual, so test on other days too"
    else:
        doubt = "popularity moves fast, so compare with recent_popularity"
    return _judged("distance", "drift", share, chance + BEYOND, what, "beyond chance, little moves", doubt)


def _judged(key: str, name: str, share: float, limit: float, what: str, meaning: str, doubt: str) -> Figure:
    """A figure that means `doubt` above the limit, else `meaning`."""
    return Figure(key, name, share, f"{what}: {doubt if share > limit else meaning}", share > limit)
