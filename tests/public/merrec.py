"""Shards of MerRec: 40 users, each with a session "1" of four things of a ring and one that nobody else sees."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from public.public_log import PublicLog
from public.rings import along

DAYS = [
    datetime(2023, 5, 30, tzinfo=UTC),
    datetime(2023, 5, 31, tzinfo=UTC),
    datetime(2023, 6, 2, tzinfo=UTC),
]
SHARDS = ["20230501/000000000000", "20230501/000000000001", "20230601/000000000000"]  # of 10, 20 and 10 users


def write(folder: Path) -> None:
    events: dict[str, list[dict[str, Any]]] = {shard: [] for shard in SHARDS}
    for user in range(40):
        part = 0 if user < 10 else 1 if user < 30 else 2
        things = [*along(user, 2), 9000 + user, *along(user + 2, 2)]  # what is sold once is seen by few
        kinds = [(thing, "item_view") for thing in things]
        kinds.insert(1, (things[0], "item_like"))
        if user == 7:
            kinds.append((things[-1], "buy_comp"))
        for step, (thing, kind) in enumerate(kinds):
            time = DAYS[part] + timedelta(hours=user % 20, minutes=step)
            events[SHARDS[part]].append(_event(user, time, thing, kind))
    for shard, rows in events.items():
        path = folder / f"{shard}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows).to_parquet(path)


def _event(user: int, time: datetime, thing: int, kind: str) -> dict[str, Any]:
    colour, brand = ["red", "blue"][thing % 2], None if thing % 3 == 0 else "Coach"
    later = " (price dropped)" if time >= DAYS[2] else ""  # a seller may change the name
    return {
        "user_id": 1000 + user,
        "sequence_id": "1",
        "session_id": "1",  # of each user's first session
        "sequence_length": 7,
        "stime": time,
        "event_id": kind,
        "item_id": thing + 1,
        "product_id": f"{brand or 0}_{thing % 4}",
        "name": f"bag {thing} {colour}{later}",
        "price": 10.0 + thing,
        "c0_id": 1,
        "c0_name": "Women",
        "c1_id": 16,
        "c1_name": "Bags" if thing % 5 else None,
        "c2_id": 163,
        "c2_name": "Totes",
        "brand_id": None if brand is None else 4,
        "brand_name": brand,
        "item_condition_id": 3,
        "item_condition_name": "Good",
        "size_id": None,
        "size_name": None,
        "shipper_id": 2,
        "shipper_name": "Seller",
        "color": colour,
    }


LOG = PublicLog(
    name="merrec",
    write=write,
    # of 40 users four views, one of what is sold once, and a like; one purchase
    rows=40 * (4 + 1 + 1) + 1,
    train={"sessions": 30, "events": 120},
    test={"sessions": 10, "events": 40},
    num_items=10,
    sessions={"1007/1": "8 9 10 1"},  # without a like, a purchase and what nobody else sees
    features=["features=text"],
    coverage={"text": 10},
)
