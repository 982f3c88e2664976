"""Globo: files of an hour each, one empty, one with a header alone; a session whose last click is days late."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from public.public_log import PublicLog
from public.rings import NUM_ITEMS, along

COLUMNS = (
    "user_id,session_id,session_start,session_size,click_article_id,click_timestamp,click_environment,"
    "click_deviceGroup,click_os,click_country,click_region,click_referrer_type\n"
)
FIRST_HOUR = datetime(2017, 10, 1, 3, tzinfo=UTC)
LATE = 4  # the session that goes on after the log's last day


def write(folder: Path) -> None:
    hours: dict[int, list[str]] = defaultdict(list)
    for number in range(41):
        day = (
            14 if number < 30 else 16 if number < 40 else 17
        )  # the 17th begins after the last day in São Paulo
        start = datetime(2017, 10, day, 15, tzinfo=UTC) + timedelta(minutes=number)
        hour = int((start - FIRST_HOUR) / timedelta(hours=1))
        for step, article in enumerate(along(number, 4)):
            time = start + timedelta(days=9 if number == LATE and step == 3 else 0, seconds=30 * (step + 1))
            hours[hour].append(_click(number, start, article, time))
    clicks = folder / "clicks" / "clicks"  # the archive holds a folder of its own name
    clicks.mkdir(parents=True)
    for hour, rows in hours.items():
        (clicks / f"clicks_hour_{hour:03d}.csv").write_text(COLUMNS + "".join(rows))
    (clicks / "clicks_hour_000.csv").write_text(COLUMNS)
    (clicks / "clicks_hour_001.csv").write_text("")
    (folder / "clicks_sample.csv").write_text(COLUMNS + hours[min(hours)][0])
    articles = [
        f"{article},{article % 3},1513144419000,0,{150 + article}\n" for article in range(NUM_ITEMS + 2)
    ]
    (folder / "articles_metadata.csv").write_text(
        "article_id,category_id,created_at_ts,publisher_id,words_count\n" + "".join(articles)
    )
    (folder / "articles_embeddings.pickle").write_bytes(b"cos\nsystem\n.")  # nothing reads it
    vectors = np.random.default_rng(0).normal(size=(NUM_ITEMS + 2, 6)).astype(np.float32)
    np.save(folder / "articles_embeddings.npy", vectors)


def _click(number: int, start: datetime, article: int, time: datetime) -> str:
    start_ms, time_ms = (int(each.timestamp() * 1000) for each in (start, time))
    session = start_ms * 1000 + number
    return f"{number // 2},{session},{start_ms},4,{article},{time_ms},4,3,20,1,21,1\n"


LOG = PublicLog(
    name="globo",
    write=write,
    # one session begins after the last day
    rows=41 * 4,
    train={"sessions": 30, "events": 120},
    test={"sessions": 10, "events": 40},
    num_items=10,
    sessions={"1507993440000004": "4 5 6 7"},  # its last click is nine days late
    features=["features=precomputed"],
    coverage={"image": 10},
)
