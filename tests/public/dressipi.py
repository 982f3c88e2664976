"""Dressipi: 40 sessions of three views, latest first, and a purchase in another file; ten of them in the last month."""

from datetime import datetime, timedelta
from pathlib import Path

from public.public_log import PublicLog
from public.rings import NUM_ITEMS, along

SESSIONS = "session_id,item_id,date\n"


def write(folder: Path) -> None:
    views, purchases = [], []
    for number in range(40):
        day = datetime(2021, 4, 3) if number < 30 else datetime(2021, 5, 7)
        *viewed, bought = along(number, 4)
        times = [day + timedelta(hours=number % 12, minutes=step, milliseconds=373) for step in range(4)]
        rows = [f"{number + 3},{item + 2},{_text(time)}\n" for item, time in zip(viewed, times, strict=False)]
        views += reversed(rows)
        purchases.append(f"{number + 3},{bought + 2},{_text(times[3])}\n")
    (folder / "train_sessions.csv").write_text(SESSIONS + "".join(views))
    (folder / "train_purchases.csv").write_text(SESSIONS + "".join(purchases))
    (folder / "test_final_sessions.csv").write_text(SESSIONS + "61,2,2021-06-07 10:00:00.001\n")
    (folder / "test_leaderboard_sessions.csv").write_text(SESSIONS + "26,3,2021-06-08 10:00:00.001\n")
    (folder / "candidate_items.csv").write_text("item_id\n2\n3\n")
    labels = [
        f"{item + 2},{category},{value}\n" for item in range(NUM_ITEMS) for category, value in _labels(item)
    ]
    (folder / "item_features.csv").write_text(
        "item_id,feature_category_id,feature_value_id\n" + "".join(labels)
    )


def _labels(item: int) -> list[tuple[int, int]]:
    """Pairs (category, value); even items have two values of category 50, as a second colour."""
    second = [(50, 7)] if item % 2 == 0 else []
    return [(56, 365 + item % 3), (50, 885 - item % 2), *second]


def _text(time: datetime) -> str:
    return time.isoformat(" ", "milliseconds")


LOG = PublicLog(
    name="dressipi",
    write=write,
    rows=40 * (3 + 1),
    train={"sessions": 30, "events": 120},
    test={"sessions": 10, "events": 40},
    num_items=10,
    sessions={"3": "2 3 4 5"},  # the views, which stand in the file from last to first, and the purchase
    features=["features=text"],
    coverage={"text": 10},
)
