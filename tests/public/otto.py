"""OTTO: a line a session, whose events are objects; only clicks count, and the test part is a file of its own."""

import json
from pathlib import Path

from public.public_log import BEGIN, DAY, PublicLog

TRAIN = {  # session -> item and type (c: clicks, a: carts, o: orders) of its events, by day
    0: {0: "1c 2c 3c 3a", 9: "4c"},
    1: {1: "2c 3c 2a 2o"},
    2: {2: "5c 5a"},  # one click
    3: {3: "6a 6o"},  # none
    4: {4: "4c 4c 1c"},
}
TEST = {
    5: {28: "2c 3c 1a", 30: "4c"},
    6: {29: "3c 9c 1c"},  # 9 is no item of training
    7: {30: "4c 9c"},  # one click is left
}
TYPES = {"c": "clicks", "a": "carts", "o": "orders"}


def lines(sessions: dict[int, dict[int, str]]) -> str:
    written = []
    for session, days in sessions.items():
        events = [
            {"aid": int(event[0]), "ts": (BEGIN + day * DAY + n) * 1000 + 278, "type": TYPES[event[1]]}
            for day, text in days.items()
            for n, event in enumerate(text.split())
        ]
        written.append(json.dumps({"session": session, "events": events}, separators=(",", ":")) + "\n")
    return "".join(written)


def write(folder: Path) -> None:
    (folder / "otto-recsys-train.jsonl").write_text(lines(TRAIN))
    (folder / "otto-recsys-test.jsonl").write_text(lines(TEST))


LOG = PublicLog(
    name="otto",
    write=write,
    rows=25,
    train={"sessions": 3, "events": 9},  # 0, 1, 4
    test={"sessions": 2, "events": 5},  # 5, 6
    num_items=4,
    sessions={"0": "1 2 3 4", "4": "4 4 1", "6": "3 1"},
)
