"""REES46: times that end in UTC, users for sessions, carts among the views, a file a month, items without category."""

from datetime import UTC, datetime
from pathlib import Path

from public.public_log import DAY, PublicLog

HOUR = 3600
OCTOBER = int(datetime(2019, 10, 31, tzinfo=UTC).timestamp())
HEADER = "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session"
ITEMS = {10: "electronics.smartphone,apple", 20: "appliances.kitchen.kettle,", 30: ",shiseido", 40: ","}
EVENTS = [
    # user, event, item, day from 31 October on, second
    (7, "view", 10, 0, 0),
    (7, "view", 20, 0, HOUR),  # an hour: the same session
    (7, "cart", 20, 0, HOUR + 60),
    (7, "view", 30, 0, 2 * HOUR + 1),  # a second more than an hour: another one
    (7, "view", 10, 0, 2 * HOUR + 1),  # at the same time
    (8, "view", 40, 0, 23 * HOUR + 1800),
    (8, "view", 10, 1, 600),  # over midnight, and from one file to the next
    (9, "view", 30, 5, 0),
    (9, "view", 40, 5, 10),
    (9, "purchase", 40, 5, 20),
    (8, "view", 20, 30, 0),  # 30 November
    (8, "view", 20, 30, 30),
    (8, "view", 30, 30, 60),
]


def line(user: int, event: str, item: int, day: int, second: int) -> str:
    time = datetime.fromtimestamp(OCTOBER + day * DAY + second, UTC)
    return (
        f"{time:%Y-%m-%d %H:%M:%S} UTC,{event},{item},2053013555631882655,{ITEMS[item]},35.79,{user},s{user}"
    )


def write(folder: Path) -> None:
    october = [line(*event) for event in EVENTS if event[3] == 0]
    november = [line(*event) for event in EVENTS if event[3] > 0]
    for name, lines in {"2019-Oct.csv": october, "2019-Nov.csv": november}.items():
        (folder / name).write_text("\n".join([HEADER, *lines]) + "\n")
    (folder / "2019-Dec.csv").write_text(f"{HEADER}\n{line(7, 'view', 10, 40, 0)}\n")  # of a later month


LOG = PublicLog(
    name="rees46",
    write=write,
    options=["dataset.min_item_support=2"],
    rows=13,
    train={"sessions": 4, "events": 8},
    test={"sessions": 1, "events": 3},
    num_items=4,
    sessions={"7#1": "10 20", "7#2": "30 10", "8#1": "40 10", "8#2": "20 20 30"},
    features=["features=text", "features.tfidf.min_documents=1"],
    coverage={"text": 3},
)
