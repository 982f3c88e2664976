"""DIGINETICA: a day and milliseconds for a time, users that are mostly unknown, names as numbers; no order."""

from pathlib import Path

from public.public_log import DAY, PublicLog, at

# session, day of its first view, (item, milliseconds since the session began)
SESSIONS = [
    (1, 0, [(101, 1_502_200), (102, 9_000), (103, 73_000)]),  # viewed as 102, 103, 101
    (2, 1, [(102, 5), (103, 61_000)]),
    (3, 2, [(101, 0)]),  # one view
    (4, 3, [(103, 4_000), (101, 90_000_000)]),  # goes on for more than a day
    (5, 11, [(101, 10), (102, 20), (103, 30)]),
    (6, 12, [(102, 700), (104, 900)]),  # 104 is in no session before
    (7, 13, [(103, 1), (101, 2), (104, 3), (102, 4)]),
]
NAMES = {
    101: "4875,776,56689",
    102: "776,56689",
    103: "",  # without a name
    104: "776,4875",
    105: "99",  # never viewed
}


def write(folder: Path) -> None:
    views = [
        f"{session};NA;{item};{milliseconds};{at(day * DAY + milliseconds / 1000)[:10]}"
        for session, day, items in SESSIONS
        for item, milliseconds in items
    ]
    views.sort(reverse=True)
    header = "sessionId;userId;itemId;timeframe;eventdate"
    (folder / "train-item-views.csv").write_text("\n".join([header, *views]) + "\n")
    products = [f"{item};{item % 12};{tokens}" for item, tokens in NAMES.items()]
    header = "itemId;pricelog2;product.name.tokens"
    (folder / "products.csv").write_text("\n".join([header, *products]) + "\n")
    (folder / "product-categories.csv").write_text("itemId;categoryId\n101;7\n")
    (folder / "train-purchases.csv").write_text(
        "sessionId;userId;timeframe;eventdate;ordernumber;itemId\n5;NA;40;2014-04-18;1;101\n"
    )


LOG = PublicLog(
    name="diginetica",
    write=write,
    options=["dataset.min_item_support=2"],
    rows=17,
    train={"sessions": 3, "events": 7},  # 1, 2, 4
    test={"sessions": 2, "events": 6},  # 5 and 7; of 6 one view is left
    num_items=3,
    sessions={"1": "102 103 101", "4": "103 101"},
    features=["features=text"],
    coverage={"text": 2},  # 103 has no name
)
