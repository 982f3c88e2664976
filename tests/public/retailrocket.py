"""Retailrocket: visitors instead of sessions, carts among the views, and properties of items that change with time."""

from pathlib import Path

from public.public_log import BEGIN, DAY, PublicLog

HOUR = 3600
EVENTS = [
    # visitor, event, item, day, second
    (7, "view", 10, 0, 0),
    (7, "view", 20, 0, 1800),  # half an hour: the same session
    (7, "addtocart", 20, 0, 1900),
    (7, "transaction", 20, 0, 2000),
    (7, "view", 30, 0, 3601),  # more than half an hour after a view, less after a purchase: the same session
    (7, "view", 10, 0, 3700),
    (8, "view", 30, 2, 0),  # one view
    (9, "view", 20, 3, 0),
    (9, "view", 30, 3, 60),
    (9, "view", 20, 3, 90),
    (7, "view", 10, 8, 2 * HOUR),  # more than 7 × 24 hours before the last event, which is on day 15
    (7, "view", 30, 8, 2 * HOUR + 60),
    (8, "view", 20, 8, 23 * HOUR),
    (8, "view", 30, 8, 23 * HOUR + 60),
    (9, "view", 30, 15, 3 * HOUR - 120),
    (9, "view", 40, 15, 3 * HOUR - 90),  # viewed once
    (9, "view", 10, 15, 3 * HOUR),
]
PROPERTIES = [
    # item, property, value, day: the latest before the test part counts, which begins on day 8
    [
        (10, "categoryid", "1338", 0),
        (10, "790", "n277.200", 0),
        (10, "888", "1116713 960601 n277.200", 0),
        (20, "available", "1", 0),  # does not count
        (20, "available", "0", 5),
    ],
    [
        (10, "888", "1116713 5", 4),
        (10, "888", "99 98", 12),  # too late
        (30, "888", "960601", 13),  # too late: without a text
        (20, "categoryid", "1338", 7),
        (55, "888", "5 960601", 1),  # never viewed
    ],
]


def milliseconds(day: int, second: int = 0) -> int:
    return (BEGIN + day * DAY + second) * 1000 + 117


def write(folder: Path) -> None:
    rows = [
        f"{milliseconds(day, second)},{visitor},{event},{item},{'4000' if event == 'transaction' else ''}"
        for visitor, event, item, day, second in EVENTS
    ]
    rows.sort(key=lambda row: row[::-1])  # in no order
    header = "timestamp,visitorid,event,itemid,transactionid"
    (folder / "events.csv").write_text("\n".join([header, *rows]) + "\n")
    for part, properties in enumerate(PROPERTIES, start=1):
        rows = [f"{milliseconds(day)},{item},{name},{value}" for item, name, value, day in properties]
        content = "\n".join(["timestamp,itemid,property,value", *rows]) + "\n"
        (folder / f"item_properties_part{part}.csv").write_text(content)
    (folder / "category_tree.csv").write_text("categoryid,parentid\n1338,\n")


LOG = PublicLog(
    name="retailrocket",
    write=write,
    options=["dataset.min_item_support=2"],
    rows=17,
    train={"sessions": 3, "events": 9},
    test={"sessions": 2, "events": 4},
    num_items=3,
    sessions={"7#1": "10 20 30 10", "9#1": "20 30 20", "7#2": "10 30", "9#2": "30 10"},
    features=["features=text"],
    coverage={"text": 2},
)
