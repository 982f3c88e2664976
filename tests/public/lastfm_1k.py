"""Last.fm 1K: no header, a user's latest listening first, quotes in titles, missing ids, wrong clocks, broken lines."""

from pathlib import Path

from public.public_log import PublicLog

# user -> day and time, track
LISTENINGS = {
    "user_000001": [
        ("2013-09-29T18:32:04Z", "t1"),  # a wrong clock
        ("2009-05-05T10:00:00Z", "t2"),  # from this day on the log is not whole
        ("2009-05-05T09:58:00Z", "t1"),
        ("2009-05-04T10:04:00Z", "t3"),  # the last day
        ("2009-05-04T10:03:00Z", ""),  # a track without an id
        ("2009-05-04T10:00:00Z", "t1"),
        ("2009-05-01T21:30:01Z", "t1"),  # half an hour and a second later: a session of its own, too short
        ("2009-05-01T21:00:00Z", "t2"),
        ("2009-05-01T20:30:00Z", "t3"),  # half an hour: the same session
    ],
    "user_000002": [
        ("2009-05-04T00:10:00Z", "t2"),
        ("2009-05-03T23:55:00Z", "t3"),  # ends on the last day
        ("2009-05-02T08:07:00Z", "t1"),
        ("2009-05-02T08:03:30Z", "t1"),  # once more
        ("2009-05-02T08:00:00Z", "t2"),
    ],
}
TRACKS = {
    "t1": ("a1", "The Dogs D'Amour", "Fall in Love Again?"),
    "t2": ("", 'Weird "Al" Yankovic', '"12 Inch'),  # an artist without an id, and a quote without an end
    "t3": ("a3", "Björk", "It's Oh So Quiet"),
    "": ("a4", "坂本龍一", "Composition 0919 (Live_2009_4_15)"),
}


def write(folder: Path) -> None:
    lines = []
    for user, listenings in LISTENINGS.items():
        for time, track in listenings:
            artist_id, artist, title = TRACKS[track]
            lines.append("\t".join([user, time, artist_id, artist, track, title]))
    lines.append("user_000002\t2009-05-01T08:00:00Z\ta1")  # broken off
    name = "userid-timestamp-artid-artname-traid-traname.tsv"
    (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    header = "#id\tgender\tage\tcountry\tregistered"
    (folder / "userid-profile.tsv").write_text(f"{header}\nuser_000001\tm\t\tJapan\tAug 13, 2006\n")
    (folder / "README.txt").write_text("README\n")


LOG = PublicLog(
    name="lastfm_1k",
    write=write,
    options=["dataset.min_item_support=2", "dataset.max_bad_share=0.1"],
    rows=15,
    train={"sessions": 2, "events": 5},
    test={"sessions": 2, "events": 4},
    num_items=3,
    sessions={"user_000001#1": "t3 t2", "user_000002#1": "t2 t1 t1", "user_000002#2": "t3 t2"},
    features=["features=text", "features.tfidf.min_documents=1"],
    coverage={"text": 3},
)
