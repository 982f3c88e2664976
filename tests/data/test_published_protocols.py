"""The protocols of published results on a generated log, beside dicts and loops written from their descriptions."""

import random
from collections import Counter
from collections.abc import Callable

import pytest
import yaml

from prnn_cli.data.events import read_events
from prnn_cli.data.sessions import sessions_of
from prnn_cli.data.split import SplitLog, split_sessions
from prnn_cli.extensions import own_configs
from prnn_cli.schema import DatasetConfig, WindowConfig

Click = tuple[int, str, int]  # user, item, time in seconds
Parts = tuple[list[list[str]], list[list[str]]]  # the items of each session of training and of the test part
DAY_S = 86_400
END = 1_442_545_200  # 2015-09-18 03:00 UTC, where the authors of 2023 let RetailRocket end
PAUSES_S = [5, 60, 600, 2400, 3700, 90_000]  # two of them longer than both protocols' gap


@pytest.fixture(scope="module")
def clicks() -> list[Click]:
    """137 days of views by 400 users, many of whom come back, and look at an item twice in a row."""
    draw = random.Random(7)
    found = []
    for user in range(400):
        time = END - draw.randrange(137 * DAY_S)
        item = draw.randrange(40)
        for _ in range(draw.randint(1, 40)):
            item = draw.choice([item, (item + 1) % 40, draw.randrange(60)])
            found.append((user, f"i{item:02}", time))
            time += draw.choice(PAUSES_S)
            if time >= END:
                break
    return sorted(found, key=lambda click: click[2])


@pytest.fixture
def prepared(
    clicks: list[Click], dataset_config: Callable[..., DatasetConfig], write_log: Callable[..., str]
) -> Callable[..., SplitLog]:
    """The log, prepared with the options of an experiment."""

    def prepare(experiment: str, number: int = 1) -> SplitLog:
        file = own_configs() / "experiment" / f"{experiment}.yaml"
        options = yaml.safe_load(file.read_text())["dataset"]
        options = {name: value for name, value in options.items() if name not in ("files", "columns")}
        if "window" in options:
            options["window"] = WindowConfig(**(options["window"] | {"number": number}))
        path = write_log(*(f"{user} {item} {time}" for user, item, time in clicks))
        dataset = dataset_config(**{"path": path} | options)
        return split_sessions(read_events(dataset), dataset)

    return prepare


def parts_of(log: SplitLog) -> Parts:
    ids = log.items["item_id"].to_numpy()

    def items_of(part: str) -> list[list[str]]:
        sessions = sessions_of(log.events, part, len(log.items))
        ends = zip(sessions.offsets[:-1], sessions.offsets[1:], strict=True)
        return sorted(ids[sessions.items[first:last]].tolist() for first, last in ends)

    return items_of("train"), items_of("test")


def cut_into_sessions(clicks: list[Click], gap_s: int) -> list[list[Click]]:
    sessions: dict[int, list[list[Click]]] = {}
    for click in clicks:
        of_user = sessions.setdefault(click[0], [])
        if of_user and click[2] - of_user[-1][-1][2] <= gap_s:
            of_user[-1].append(click)
        else:
            of_user.append([click])
    return [session for of_user in sessions.values() for session in of_user]


def long_enough(sessions: list[list[Click]]) -> list[list[Click]]:
    return [session for session in sessions if len(session) > 1]


def frequent(sessions: list[list[Click]]) -> list[list[Click]]:
    support = Counter(item for session in sessions for _, item, _ in session)
    return [[click for click in session if support[click[1]] >= 5] for session in sessions]


def known(test: list[list[Click]], train: list[list[Click]]) -> list[list[Click]]:
    items = {item for session in train for _, item, _ in session}
    return long_enough([[click for click in session if click[1] in items] for session in test])


def as_parts(train: list[list[Click]], test: list[list[Click]]) -> Parts:
    train, test = (
        [[item for _, item, _ in session] for session in part] for part in (train, known(test, train))
    )
    return sorted(train), sorted(test)


def window_of_session_rec(clicks: list[Click], number: int) -> Parts:
    """RetailRocket: 25 + 2 days, by the last click; filters once, over the whole log."""
    sessions = long_enough(frequent(long_enough(cut_into_sessions(clicks, 1800))))
    begin = min(session[0][2] for session in sessions) + (number - 1) * 27 * DAY_S
    middle, end = begin + 25 * DAY_S, begin + 27 * DAY_S
    train = [session for session in sessions if begin <= session[-1][2] < middle]
    return as_parts(train, [session for session in sessions if middle <= session[-1][2] <= end])


def split_of_2023(clicks: list[Click]) -> Parts:
    """RetailRocket: repeats out, filters until nothing changes, the last seven days by the first click."""
    sessions = cut_into_sessions(clicks, 3600)
    sessions = [
        [click for place, click in enumerate(session) if not place or click[1] != session[place - 1][1]]
        for session in sessions
    ]
    before = None
    while sessions != before:
        before = sessions
        sessions = frequent(long_enough(sessions))
    start = END - 7 * DAY_S
    train = [[click for click in session if click[2] < start] for session in sessions if session]
    return as_parts(
        long_enough(train), [session for session in sessions if session and session[0][2] >= start]
    )


@pytest.mark.parametrize("number", [1, 2, 5])
def test_session_recs_windows(prepared: Callable[..., SplitLog], clicks: list[Click], number: int) -> None:
    train, test = parts_of(prepared("published_umuai_retailrocket", number))
    assert (train, test) == window_of_session_rec(clicks, number)
    assert len(train) > 50
    assert len(test) > 3


def test_the_split_of_2023(prepared: Callable[..., SplitLog], clicks: list[Click]) -> None:
    train, test = parts_of(prepared("published_gru4rec_retailrocket"))
    assert (train, test) == split_of_2023(clicks)
    assert len(train) > 500
    assert len(test) > 20
