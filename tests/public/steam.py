"""Steam: 40 users with four reviews on days of their own, as Python literals, and the tags of the games."""

import gzip
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from public.public_log import PublicLog
from public.rings import NUM_ITEMS, along

FIRST_DAY = date(2015, 3, 1)


def write(folder: Path) -> None:
    reviews = []
    for user in range(40):
        for step, game in enumerate(along(user, 4)):
            review = {
                "username": f"Zoë {user}" if user % 5 else f"it's {user}",
                "hours": 1.5,
                "products": 12,
                "product_id": str(10 + game),
                "page_order": step,
                "date": str(FIRST_DAY + timedelta(days=40 * step + user)),
                "text": 'good "game"\n\u2665 it\'s 10/10',
                "early_access": False,
                "page": 1,
            }
            if user % 2:
                review |= {
                    "user_id": f"7656119{user}",
                    "compensation": "Product received for free",
                    "found_funny": 3,
                }
            reviews.append((game, review))
    reviews.sort(key=lambda pair: pair[0])  # game by game, as they were collected
    _write(folder / "steam_reviews.json.gz", [review for _, review in reviews])
    games: list[dict[str, Any]] = [
        {
            "publisher": "Valve",
            "genres": ["Action", "Indie"] if game % 2 else ["Strategy"],
            "app_name": f"Portal {game}",
            "title": f"Portal {game}",
            "url": f"http://store.steampowered.com/app/{10 + game}/",
            "release_date": "2011-04-18",
            "tags": ["Puzzle", "Co-op", "Sci-fi"][: 1 + game % 3],
            "specs": ["Single-player"],
            "price": 19.99 if game else "Free to Play",
            "early_access": False,
            "id": str(10 + game),
            "developer": "Valve",
        }
        for game in range(NUM_ITEMS)
    ]
    del games[4]["tags"], games[4]["genres"]
    nameless = {
        "url": "http://store.steampowered.com/",
        "price": 59.99,
        "early_access": False,
    }  # and without an id
    _write(folder / "steam_games.json.gz", [*games, nameless, games[0]])


def _write(path: Path, objects: list[dict[str, Any]]) -> None:
    """Lines as Python 2 printed them, with a u before each text that is not plain."""
    lines = (
        f"{{{', '.join(f'u{key!r}: {_literal(value)}' for key, value in each.items())}}}\n"
        for each in objects
    )
    path.write_bytes(gzip.compress("".join(lines).encode()))


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return f"u{value!a}" if isinstance(value, str) else repr(value)


LOG = PublicLog(
    name="steam",
    write=write,
    # training has all but each user's last event, which the test part ranks after them
    rows=40 * 4,
    train={"sessions": 40, "events": 120},
    test={"sessions": 40, "events": 160},
    num_items=10,
    sessions={"it's 5": "15 16 17"},
    features=["features=text"],
    coverage={"text": 10},
)
