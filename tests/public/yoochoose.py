"""YOOCHOOSE: no header, times to the millisecond, a category that is a number or a letter; the test file beside it.

The log ends at three in the morning, and its last day is the 24 hours before. Filters run once: when `half` loses its
session with `rare`, too few events of it are left, but it stays.
"""

from pathlib import Path

from public.public_log import PublicLog, at

HOUR = 3600
ROWS = [
    # session, clicked items, hour of its first click
    ("1", ["a", "b", "c"], 0),
    ("2", ["b", "c"], 1),
    ("3", ["a"], 24),  # one click
    ("4", ["c", "b", "a"], 25),
    ("5", ["half", "rare"], 26),  # one click is left
    ("6", ["a", "half"], 27),
    ("7", ["b", "a", "c", "b"], 60),  # in the 24 hours before the last event
    ("8", ["c", "b"], 71),  # an hour before midnight
    ("9", ["b", "a", "c"], 75),  # three hours after it
]
IDS = {"a": 214536502, "b": 214577561, "c": 214662742, "half": 214826705, "rare": 643078800}


def write(folder: Path) -> None:
    lines = [
        f"{session},{at(hour * HOUR + 61 * n, 'milliseconds')},{IDS[item]},{'S' if n else 0}"
        for session, items, hour in ROWS
        for n, item in enumerate(items)
    ]
    lines.reverse()  # not in order
    (folder / "yoochoose-clicks.dat").write_text("".join(f"{line}\n" for line in lines))
    (folder / "yoochoose-test.dat").write_text(f"9,{at(900 * HOUR, 'milliseconds')},1,0\n" * 3)
    (folder / "yoochoose-buys.dat").write_text(f"1,{at(90, 'milliseconds')},{IDS['a']},12462,1\n")
    (folder / "dataset-README.txt").write_text("SUMMARY\n")


LOG = PublicLog(
    name="yoochoose",
    write=write,
    options=["dataset.min_item_support=2"],
    rows=sum(len(items) for _, items, _ in ROWS),
    train={"sessions": 4, "events": 10},  # 1, 2, 4, 6
    test={"sessions": 3, "events": 9},  # 7, 8, 9
    num_items=4,
    sessions={"4": " ".join(str(IDS[item]) for item in "cba")},
)
