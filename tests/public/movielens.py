"""MovieLens 1M: two colons between the cells, titles with colons, commas and accents, genres with bars, equal times."""

from pathlib import Path

from public.public_log import BEGIN, PublicLog

RATINGS = {
    # user -> movie@second, in the order of the file
    1: "1193@50 661@10 260@30 73@20",
    2: "260@7 1193@7 73@7",  # all at once
    3: "73@1 260@2 661@3 1193@4 2@5",  # 2 is rated once
    4: "661@9 260@8",  # too short to be ranked
}
MOVIES = [
    "1193::One Flew Over the Cuckoo's Nest (1975)::Drama",
    "661::James and the Giant Peach (1996)::Animation|Children's|Musical",
    "260::Star Wars: Episode IV - A New Hope (1977)::Action|Adventure|Fantasy|Sci-Fi",
    "73::Misérables, Les (1995)::Drama|Musical",
    "2::Jumanji (1995)::Adventure|Children's|Fantasy",
    '91::It\'s "never" rated (1996)::Drama',
]


def write(folder: Path) -> None:
    lines = [
        "::".join([str(user), movie, "5", str(BEGIN + int(second))])
        for user, text in RATINGS.items()
        for movie, second in (rating.split("@") for rating in text.split())
    ]
    (folder / "ratings.dat").write_text("".join(f"{line}\n" for line in lines))
    (folder / "movies.dat").write_text("".join(f"{movie}\n" for movie in MOVIES), encoding="latin-1")
    (folder / "users.dat").write_text("1::F::1::10::48067\n")
    (folder / "README").write_text("SUMMARY\n")


LOG = PublicLog(
    name="movielens",
    write=write,
    options=["dataset.min_item_support=2"],
    rows=14,
    train={"sessions": 3, "events": 8},  # all but the last rating of 1, 2 and 3
    test={"sessions": 3, "events": 11},  # 1, 2, 3, of which the last rating is ranked
    num_items=4,
    sessions={"1": "661 73 260", "2": "260 1193"},
    features=["features=text"],
    coverage={"text": 4},
)
