"""Generated logs and what can go wrong with files; how many cases a property is tried on."""

import gzip
import io
import os
from collections.abc import Callable
from typing import Any, TypeVar

import pandas as pd
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

Event = tuple[str, str, int]  # session_id, item_id, time
Test = TypeVar("Test", bound=Callable[..., Any])

TIMES_AS_MANY = int(os.environ.get("PRNN_CASES", "0"))  # make test-nightly sets it; 0: a third, for make test


def cases(number: int) -> Callable[[Test], Test]:
    return settings(
        max_examples=number * TIMES_AS_MANY or -(-number // 3),
        deadline=None,
        derandomize=TIMES_AS_MANY == 0,  # make test tries the same ones each time
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )


# Ids as shops have them, and as nobody should: leading zeros, quotes, separators, other scripts.
IDS = st.sampled_from(["1", "01", "a", "A", "b c", 'q"q', "x,y", "é", "商品", "-1", "1e3", "=1+1"])
EVENTS = st.lists(st.tuples(IDS, IDS, st.integers(0, 6 * 86_400)), min_size=1, max_size=60)


def csv_of(events: list[Event]) -> bytes:
    return frame_of(events).to_csv(index=False).encode()


def frame_of(events: list[Event]) -> pd.DataFrame:
    return pd.DataFrame(events, columns=["session_id", "item_id", "time"])


def parquet_of(events: list[Event]) -> bytes:
    stream = io.BytesIO()
    frame_of(events).to_parquet(stream, index=False)
    return stream.getvalue()


WRITERS: dict[str, Callable[[list[Event]], bytes]] = {
    "clicks.csv": csv_of,
    "clicks.csv.gz": lambda events: gzip.compress(csv_of(events), mtime=0),
    "clicks.jsonl": lambda events: frame_of(events).to_json(orient="records", lines=True).encode(),
    "clicks.parquet": parquet_of,
}

BYTES = [
    b"\n",
    b"\r\n",
    b",",
    b'"',
    b";",
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"nan",
    b"-",
    b"{",
    b"9" * 30,
]
NOISE = st.one_of(st.binary(max_size=6), st.sampled_from(BYTES))
EDITS = st.lists(
    st.tuples(st.sampled_from(["insert", "delete", "replace", "cut", "repeat"]), st.floats(0, 1), NOISE),
    min_size=1,
    max_size=4,
)


def edited(content: bytes, edits: list[tuple[str, float, bytes]]) -> bytes:
    for kind, share, noise in edits:
        place = int(share * len(content))
        before, after = content[:place], content[place:]
        content = {
            "insert": before + noise + after,
            "delete": before + after[len(noise) + 1 :],
            "replace": before + noise + after[len(noise) :],
            "cut": before,
            "repeat": before + after[:40] + after,
        }[kind]
    return content
