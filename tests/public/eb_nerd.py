"""EB-NeRD: 30 sessions of the first week and 10 of the second, whose impressions may have no click, one or two."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from public.public_log import PublicLog
from public.rings import NUM_ITEMS, along

FIRST_ARTICLE = 9_770_000
AT_NIGHT = (34, 0)  # the session and the impression of it that is the last of the first week
NEW_ARTICLE = FIRST_ARTICLE + 99  # of the second week alone
SCHEMA = pa.schema(
    {
        "impression_id": pa.uint32(),
        "article_id": pa.int32(),
        "impression_time": pa.timestamp("us"),
        "read_time": pa.float32(),
        "scroll_percentage": pa.float32(),
        "device_type": pa.int8(),
        "article_ids_inview": pa.list_(pa.int32()),
        "article_ids_clicked": pa.list_(pa.int32()),
        "user_id": pa.uint32(),
        "is_sso_user": pa.bool_(),
        "gender": pa.int8(),
        "postcode": pa.int8(),
        "age": pa.int8(),
        "is_subscriber": pa.bool_(),
        "session_id": pa.uint32(),
        "next_read_time": pa.float32(),
        "next_scroll_percentage": pa.float32(),
    }
)


def write(folder: Path) -> None:
    weeks = {
        "train": (range(30), datetime(2023, 5, 20, 8)),
        "validation": (range(30, 40), datetime(2023, 5, 25, 7)),
    }
    for part, (numbers, begin) in weeks.items():
        rows = []
        for number in numbers:
            first, second, third, fourth = along(number, 4)
            clicked = [[first], [second, third], [], [fourth]]
            if number == 35:
                clicked.append([NEW_ARTICLE - FIRST_ARTICLE])
            for step, articles in enumerate(clicked):
                time = begin + timedelta(hours=number % 15, minutes=step)
                if (number, step) != AT_NIGHT:
                    rows.append(_impression(number, step, time, articles))
        if part == "train":  # a session that goes on in the second week's file
            rows.append(_impression(34, 0, datetime(2023, 5, 25, 6, 59, 50), along(34, 1)))
        (folder / part).mkdir()
        table = pa.Table.from_pylist(rows[::-1], SCHEMA)  # not by time
        pq.write_table(table, folder / part / "behaviors.parquet")
        pq.write_table(pa.table({"user_id": [1]}), folder / part / "history.parquet")
    write_articles(folder)


def _impression(number: int, step: int, time: datetime, clicked: list[int]) -> dict[str, Any]:
    articles = [FIRST_ARTICLE + article for article in clicked]
    return {
        "impression_id": 100 * number + step,
        "article_id": None,
        "impression_time": time,
        "read_time": 7.0,
        "device_type": 2,
        "article_ids_inview": [*articles, FIRST_ARTICLE + 50],
        "article_ids_clicked": articles,
        "user_id": 500 + number // 3,
        "is_sso_user": False,
        "is_subscriber": False,
        "session_id": 7000 + number,
    }


def write_articles(folder: Path) -> None:
    ids = [*range(FIRST_ARTICLE, FIRST_ARTICLE + NUM_ITEMS), FIRST_ARTICLE + 50, NEW_ARTICLE]
    titles = [f"Ny {['kongelig', 'sports'][number % 2]} nyhed {number % 5}" for number in range(len(ids))]
    articles = {
        "article_id": pa.array(ids, pa.int32()),
        "title": titles,
        "subtitle": [None if number == 2 else "Læs mere, her" for number in range(len(ids))],
        "premium": [False] * len(ids),
        "body": ["Brødtekst"] * len(ids),
        "published_time": pa.array([datetime(2023, 5, 19)] * len(ids), pa.timestamp("us")),
        "image_ids": pa.array([None, *([[3518381]] * (len(ids) - 1))], pa.list_(pa.int64())),
        "topics": pa.array([["Kendt", "Livsstil"]] * len(ids)),
        "category": pa.array([118] * len(ids), pa.int16()),
        "category_str": ["nyheder"] * len(ids),
    }
    pq.write_table(pa.table(articles), folder / "articles.parquet")
    for name, size in (("image_embeddings", 5), ("contrastive_vector", 4)):
        column = name.removesuffix("s")
        vectors = np.random.default_rng(size).normal(size=(len(ids) - 1, size)).tolist()  # the last has none
        (folder / f"Ekstra_Bladet_{name}").mkdir()
        frame = pd.DataFrame({"article_id": ids[:-1], column: vectors})
        frame.to_parquet(folder / f"Ekstra_Bladet_{name}" / f"{name}.parquet")


LOG = PublicLog(
    name="eb_nerd",
    write=write,
    # four clicks of each session and a list without any; one click on a new article
    rows=40 * (4 + 1) + 1,
    train={"sessions": 30, "events": 120},
    test={"sessions": 10, "events": 40},
    num_items=10,
    sessions={"7034": "9770004 9770005 9770006 9770007"},  # begun in the other file
    features=["features=text"],
    coverage={"text": 10},
)
