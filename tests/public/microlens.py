"""MicroLens-50K: 40 users who comment on five videos of a ring, weeks apart; titles with commas, covers by id."""

import csv
from pathlib import Path

from PIL import Image

from public.public_log import PublicLog
from public.rings import NUM_ITEMS, along

WEEK_MS = 7 * 86_400_000
COVERS = "MicroLens-50k_covers"


def write(folder: Path) -> None:
    pairs = [
        (user + 1, item + 1, 1_583_378_490_000 + user * 1000 + step * WEEK_MS)
        for user in range(40)
        for step, item in enumerate(along(user, 5))
    ]
    pairs.append((1, 1, 1_583_378_490_500))  # a second comment on the first video
    with (folder / "MicroLens-50k_pairs.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["user", "item", "timestamp"])
        rows.writerows(sorted(pairs, key=lambda pair: pair[1]))  # not by time
    of_users = [" ".join(str(item + 1) for item in along(user, 5)) for user in range(40)]
    (folder / "MicroLens-50k_pairs.tsv").write_text(
        "".join(f"{user + 1}\t{items}\n" for user, items in enumerate(of_users))
    )
    (folder / "MicroLens-50k_likes_and_views.txt").write_text("1\t100\t2000\n")
    write_titles(folder / "MicroLens-50k_titles.csv", header=True)
    (folder / COVERS).mkdir()
    for item in range(NUM_ITEMS - 1):  # the last video has no cover
        mode, colour = ("L", 20 * item) if item == 3 else ("RGB", (20 * item, 90, 255 - 20 * item))
        Image.new(mode, (12, 20), colour).save(folder / COVERS / f"{item + 1}.jpg")


def write_titles(path: Path, header: bool) -> None:
    """Titles of the videos, but for the second, with the header line of 50K or without one, as those of 100K."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        if header:
            rows.writerow(["item", "title"])
        for item in range(NUM_ITEMS):
            if item != 1:
                rows.writerow([item + 1, f'Cats, dogs and "friends" part {["one", "two"][item % 2]}'])


LOG = PublicLog(
    name="microlens",
    write=write,
    # training has all but each user's last event, which the test part ranks after them
    rows=40 * 5 + 1,
    train={"sessions": 40, "events": 161},
    test={"sessions": 40, "events": 201},
    num_items=10,
    sessions={"1": "1 1 2 3 4"},
    features=[
        "features=image_and_text",
        "features.sources.image=colour_histogram",
        "features.images.workers=0",
    ],
    coverage={"image": 9, "text": 9},
)
