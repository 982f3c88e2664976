"""Amazon-M2: 120 British sessions of five products, German ones between them; ids that repeat in the table."""

import csv
from pathlib import Path

import numpy as np

from public.public_log import PublicLog
from public.rings import NUM_ITEMS, along

COLUMNS = ["id", "locale", "title", "price", "brand", "color", "size", "model", "material", "author", "desc"]


def write(folder: Path) -> None:
    with (folder / "sessions_train.csv").open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["prev_items", "next_item", "locale"])
        for number in range(120):
            *before, after = map(asin, along(number, 5))
            if number == 5:
                before = [asin(number), *before] * 4  # so many that numpy breaks the line: 20, and the next
            rows.writerow([str(np.array(before)), after, "UK"])
            if number % 4 == 0:
                rows.writerow([str(np.array([asin(3), asin(number % 10)])), "B0NURINDE1", "DE"])
    with (folder / "products_train.csv").open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        for item in range(NUM_ITEMS):
            rows.writerow([asin(item), "DE", f"Rote Lampe {item}", 40000000.07, *[""] * 6, "Für den Tisch"])
        for item in range(NUM_ITEMS):
            title = f'Lamp no. {item}, 12" tall, {["red", "blue"][item % 2]}'
            rows.writerow(
                [asin(item), "UK", title, 9.99, "", "red", *[""] * 4, "for desks\nand shelves, too"]
            )
        rows.writerow(["B0NURINDE1", "DE", "Vase", 5, *[""] * 7])


def asin(item: int) -> str:
    return f"B0{item:08d}"


LOG = PublicLog(
    name="amazon_m2",
    write=write,
    # which sessions are of the test part depends on their rows; together they are 120
    rows=120 * 5 + 16 + 30 * 3,
    train={"sessions": 107, "events": 551},
    test={"sessions": 13, "events": 65},
    num_items=10,
    sessions={
        "8": f"{4 * 'B000000005 B000000005 B000000006 B000000007 B000000008 '}B000000009"
    },  # a list over two lines, and the next item
    features=["features=text"],
    coverage={"text": 10},
)
