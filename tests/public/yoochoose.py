"""YOOCHOOSE: no header, times to the millisecond, a category that is a number or a letter; the test file beside it."""

from pathlib import Path

from public.public_log import DAY, PublicLog, at

ROWS = [
    # session, clicked items, day of its first click
    ("1", ["a", "b", "c"], 0),
    ("2", ["b", "c"], 0),
    ("3", ["a"], 1),  # one click
    ("4", ["c", "b", "a"], 1),
    ("5", ["a", "b", "rare"], 2),
    ("6", ["b", "a", "c", "b"], 3),  # the last day
]
IDS = {"a": 214536502, "b": 214577561, "c": 214662742, "rare": 643078800}


def write(folder: Path) -> None:
    lines = [
        f"{session},{at(day * DAY + 61 * n, 'milliseconds')},{IDS[item]},{'S' if n else 0}"
        for session, items, day in ROWS
        for n, item in enumerate(items)
    ]
    lines.reverse()  # not in order
    (folder / "yoochoose-clicks.dat").write_text("".join(f"{line}\n" for line in lines))
    (folder / "yoochoose-test.dat").write_text(f"9,{at(9 * DAY, 'milliseconds')},1,0\n" * 3)
    (folder / "yoochoose-buys.dat").write_text(f"1,{at(90, 'milliseconds')},{IDS['a']},12462,1\n")
    (folder / "dataset-README.txt").write_text("SUMMARY\n")


LOG = PublicLog(
    name="yoochoose",
    write=write,
    options=["dataset.min_item_support=2"],
    rows=sum(len(items) for _, items, _ in ROWS),
    train={"sessions": 4, "events": 10},
    test={"sessions": 1, "events": 4},
    num_items=3,
)
