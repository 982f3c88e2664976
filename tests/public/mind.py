"""MINDsmall: users whose impressions list what was shown, clicked or not; half an hour without one ends a session."""

from datetime import datetime, timedelta
from pathlib import Path

from public.public_log import PublicLog
from public.rings import NUM_ITEMS, along

NEW_ARTICLE = 99  # of the second part alone


def write(folder: Path) -> None:
    parts = {
        "MINDsmall_train": (range(30), datetime(2019, 11, 14, 8)),
        "MINDsmall_dev": (range(30, 40), datetime(2019, 11, 15, 8)),
    }
    for part, (numbers, begin) in parts.items():
        (folder / part).mkdir()
        rows = []
        for number in numbers:
            user, visit = number // 2 % 15, number % 2  # two visits of a day, two hours apart
            start = begin + timedelta(hours=2 * visit, minutes=user)
            first, second, third, fourth = along(number, 4)
            shown = [f"N{first}-1 N50-0", f"N51-0 N{second}-1 N{third}-1", f"N{fourth}-1"]
            if number == 35:
                shown.append(f"N{NEW_ARTICLE}-1 N50-0")
            history = "" if user % 2 else "N50 N51"
            for step, impressions in enumerate(shown):
                cells = [str(100 * number + step), f"U{user}", _time(start, 5 * step), history, impressions]
                rows.append("\t".join(cells) + "\n")
        (folder / part / "behaviors.tsv").write_text("".join(rows[::-1]))
        new = [NEW_ARTICLE] if part == "MINDsmall_dev" else []
        articles = [*range(NUM_ITEMS), 50, 51, *new]
        (folder / part / "news.tsv").write_text("".join(map(_article, articles)))
        (folder / part / "entity_embedding.vec").write_text("Q1\t0.1\t0.2\n")


def _time(start: datetime, minutes: int) -> str:
    """Such as 11/14/2019 9:05:00 AM, the hour without a zero before it."""
    time = start + timedelta(minutes=minutes)
    return f"{time:%m/%d/%Y} {time.hour % 12 or 12}:{time:%M:%S %p}"


def _article(number: int) -> str:
    abstract = "" if number == 3 else f"A story of {['sport', 'food'][number % 2]}."
    title = f'"Best of {number % 4}" and 5\' tall'  # a quote begins the cell and does not end it
    return f"N{number}\tnews\tnewsus\t{title}\t{abstract}\thttps://assets.msn.com/{number}.html\t[]\t[]\n"


LOG = PublicLog(
    name="mind",
    write=write,
    # four clicks of each session and two articles that were not clicked; a new one beside another
    rows=40 * (4 + 2) + 2,
    train={"sessions": 30, "events": 120},
    test={"sessions": 10, "events": 40},
    num_items=10,
    sessions={"U2#4": "N5 N6 N7 N8"},  # the fourth visit, without a new article
    features=["features=text"],
    coverage={"text": 10},
)
