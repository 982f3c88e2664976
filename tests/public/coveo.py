"""Coveo: a view may be written twice, rows are in no order, and products have two vectors, one, or none."""

from pathlib import Path

from public.public_log import BEGIN, DAY, PublicLog

ROWS = [
    # session, action (none: a page view), product, day, second
    ("s1", "detail", "p1", 0, 10),
    ("s1", "", "", 0, 10),  # the same view
    ("s1", "detail", "p2", 0, 25),
    ("s1", "add", "p2", 0, 31),
    ("s1", "remove", "p2", 0, 40),
    ("s1", "remove", "p2", 0, 40),
    ("s1", "detail", "p3", 0, 55),
    ("s2", "detail", "p3", 0, 86_399),  # over midnight
    ("s2", "detail", "p1", 1, 3),
    ("s3", "detail", "p1", 1, 0),
    ("s3", "purchase", "p1", 1, 5),  # one view
    ("s4", "", "", 1, 7),  # no product at all
    ("s5", "detail", "p4", 1, 100),
    ("s5", "detail", "p2", 1, 200),
    ("s5", "detail", "p4", 1, 300),
    ("s6", "detail", "p2", 2, 100),
    ("s6", "click", "p3", 2, 110),
    ("s6", "detail", "p1", 2, 120),
    ("s6", "detail", "p4", 2, 130),
]
CONTENT = {  # text, image
    "p1": (0.27, 340.4),
    "p2": (-0.32, None),  # no picture
    "p3": (None, None),  # the hash alone
    "p4": (0.1, -114.8),
    "p5": (0.2, 7.9),  # never viewed
}


def vector(value: float | None) -> str:
    return "" if value is None else f'"{[value / (n + 1) for n in range(50)]}"'


def write(folder: Path) -> None:
    header = "session_id_hash,event_type,product_action,product_sku_hash,server_timestamp_epoch_ms,hashed_url"
    rows = [
        f"{session},{'event_product' if action else 'pageview'},{action},{product},"
        f"{(BEGIN + day * DAY + second) * 1000 + 307},url{second}"
        for session, action, product, day, second in ROWS
    ]
    rows = rows[1::2] + rows[::2]  # in no order
    (folder / "browsing_train.csv").write_text("\n".join([header, *rows]) + "\n")
    header = "product_sku_hash,description_vector,category_hash,image_vector,price_bucket"
    content = [
        f"{product},{vector(text)},{'c1/c2' if text else ''},{vector(image)},{'7.0' if text else ''}"
        for product, (text, image) in CONTENT.items()
    ]
    (folder / "sku_to_content.csv").write_text("\n".join([header, *content]) + "\n")
    (folder / "search_train.csv").write_text("session_id_hash,query_vector\ns1,\n")


LOG = PublicLog(
    name="coveo",
    write=write,
    options=["dataset.min_item_support=2"],
    rows=19,
    train={"sessions": 3, "events": 8},  # s1, s2, s5
    test={"sessions": 1, "events": 3},  # s6
    num_items=4,
    sessions={"s1": "p1 p2 p3", "s6": "p2 p1 p4"},
    features=["features=vector_columns"],
    coverage={"text": 3, "image": 2},
)
