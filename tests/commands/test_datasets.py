"""`prnn datasets describe PATH` prints a config that `prnn preprocess` reads the same log with, whatever its format."""

import gzip
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml
from PIL import Image

from commands.conftest import Result
from prnn_cli.data.describe import preview

Prnn = Callable[..., Result]
START = 1_714_550_000
ITEMS = [f"sku-{n:02d}" for n in range(20)]


def sessions() -> list[tuple[str, str, list[str], list[int]]]:
    """(session, user, items, times in seconds), three of each user, hours apart"""
    rng = random.Random(0)
    found = []
    for number in range(90):
        begin = START + 40_000 * (number % 3) + 90 * number
        items = rng.choices(ITEMS, k=rng.randint(2, 6))
        found.append((f"s{number}", f"u{number // 3}", items, [begin + 60 * n for n in range(len(items))]))
    return found


EVENTS = sorted(
    (time, session, user, item)
    for session, user, items, times in sessions()
    for item, time in zip(items, times, strict=True)
)


def frame(
    session: str = "visit", item: str = "product", time: str = "clicked_at", unit: int = 1
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            session: [s for _, s, _, _ in EVENTS],
            item: [i for _, _, _, i in EVENTS],
            time: [t * unit for t, _, _, _ in EVENTS],
            "price": [1.5 * len(i) for _, _, _, i in EVENTS],
        }
    )


def dated(pattern: str) -> pd.DataFrame:
    table = frame()
    return table.assign(
        clicked_at=[datetime.fromtimestamp(t, UTC).strftime(pattern) for t in table["clicked_at"]]
    )


def users() -> pd.DataFrame:
    return frame().assign(visit=[u for _, _, u, _ in EVENTS]).rename(columns={"visit": "customer_id"})


def lists() -> pd.DataFrame:
    rows = [(session, items, times) for session, _, items, times in sessions()]
    return pd.DataFrame(rows, columns=["session_id", "items", "time"])


def text_lists() -> pd.DataFrame:
    table = lists()
    return table.assign(items=table["items"].str.join("|"), time=table["time"].str[0])


def json_lines(table: pd.DataFrame) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in table.to_dict("records")).encode()


def csv(table: pd.DataFrame, separator: str = ",") -> bytes:
    return table.to_csv(index=False, sep=separator).encode()


def parquet(table: pd.DataFrame) -> bytes:
    return bytes(table.to_parquet())


FORMATS: dict[str, tuple[bytes, dict[str, Any]]] = {
    "clicks.csv": (csv(frame()), {"time_format": "seconds"}),
    "semicolons.csv": (
        csv(frame(), ";"),
        {"columns": {"session_id": "visit", "item_id": "product", "time": "clicked_at"}},
    ),
    "colons.txt": (csv(frame(), ":"), {"separator": ":"}),
    "clicks.tsv.gz": (gzip.compress(csv(frame(unit=1000), "\t")), {"time_format": "milliseconds"}),
    "clicks.csv.zst": (
        bytes(pa.compress(csv(frame(unit=10**6)), "zstd", asbytes=True)),
        {"time_format": "microseconds"},
    ),
    "clicks.parquet": (parquet(frame("basket", "asin", "ts")), {}),
    "clicks.jsonl": (json_lines(frame("sid", "track", "when")), {}),
    "latin.csv": (csv(frame().replace("sku-01", "sku-é")).decode().encode("cp1252"), {"encoding": "cp1252"}),
    "wide.tsv": (csv(frame(), "\t").decode().encode("utf-16"), {"encoding": "utf-16"}),
    "iso.csv": (csv(dated("%Y-%m-%dT%H:%M:%SZ")), {"time_format": "iso"}),
    "days_first.csv": (csv(dated("%d/%m/%Y %H:%M:%S")), {"time_format": "%d/%m/%Y %H:%M:%S"}),
    "digits.csv": (csv(dated("%Y%m%d%H%M%S")), {"time_format": "%Y%m%d%H%M%S"}),
    "unnamed.csv": (csv(frame("a", "b", "c")), {"columns": {"session_id": "a", "item_id": "b", "time": "c"}}),
    "users.csv": (csv(users()), {"session_gap_s": 1800}),
    "lists.jsonl": (json_lines(lists()), {}),
    "lists.parquet": (parquet(lists()), {}),
    "lists.csv": (csv(text_lists()), {"list_separator": "|"}),
}


def described(prnn: Prnn, path: str) -> dict[str, Any]:
    """The printed config, saved as my_configs/dataset/NAME.yaml."""
    result = prnn("datasets", "describe", path)
    assert result.exit_code == 0
    assert 5 <= len(result.out.splitlines()) <= 10
    assert len(result.err.splitlines()) == 2  # how sure it is, and what would be kept
    config: dict[str, Any] = yaml.safe_load(result.out)
    Path("my_configs/dataset").mkdir(parents=True, exist_ok=True)
    Path(f"my_configs/dataset/{config['name']}.yaml").write_text(result.out)
    return config


@pytest.mark.parametrize("file", FORMATS)
def test_what_is_printed_reads_the_log(prnn: Prnn, file: str) -> None:
    content, expected = FORMATS[file]
    Path(file).write_bytes(content)
    config = described(prnn, file)
    assert {key: config.get(key) for key in expected} == expected
    result = prnn("preprocess", "-cd", "my_configs", f"dataset={config['name']}", "hydra.run.dir=out")
    assert result.exit_code == 0
    summary = json.loads(Path("out/summary.json").read_text())
    assert summary["rows"] == len(EVENTS)
    assert [summary[part]["sessions"] for part in ("train", "test")] == [60, 30]
    assert (summary["items"], summary["dropped"]) == (len(ITEMS), {})


def test_a_folder_of_log_items_and_pictures_is_told_apart(prnn: Prnn) -> None:
    shop = Path("shop")
    (shop / "pictures").mkdir(parents=True)
    for n in range(2):
        frame().iloc[n::2].to_csv(shop / f"events-{n}.csv", index=False)
    titles = [f"Red lamp number {n}" for n in range(len(ITEMS))]
    pd.DataFrame({"sku": ITEMS, "title": titles, "stock": 5}).to_json(
        shop / "items.jsonl", orient="records", lines=True
    )
    for item in ITEMS:
        Image.fromarray(np.zeros((8, 8, 3), dtype=np.uint8)).save(shop / "pictures" / f"{item}.png")
    config = described(prnn, "shop")
    assert config["path"].endswith("/shop/events-*.csv")
    assert config["items"] | {"path": ""} == {
        "path": "",
        "item_id": "sku",
        "text": ["title"],
        "image_pattern": "pictures/{item_id}.png",
    }
    run = ("features", "-cd", "my_configs", "dataset=shop", "features=text", "hydra.run.dir=out")
    assert prnn(*run).exit_code == 0
    assert json.loads(Path("out/features.json").read_text())["sources"][0]["covered_items"] == len(ITEMS)


def test_it_says_how_sure_it_is_and_what_would_be_kept(prnn: Prnn) -> None:
    Path("clicks.csv").write_bytes(csv(frame()))
    sure, kept = prnn("datasets", "describe", "clicks.csv").err.splitlines()
    assert sure == "Sure of the columns, by their names."
    assert kept.startswith(
        f"{len(EVENTS)} of {len(EVENTS)} events would be kept, in 90 sessions of 20 items, 2024-05-01 "
    )
    assert kept.endswith(  # of two days, which have no room for a hold-out
        "prnn train -cd my_configs dataset=clicks arch=id_only recipe=cross_entropy epochs=10"
    )
    Path("clicks.csv").write_bytes(csv(frame(session="a")))
    result = prnn("datasets", "describe", "clicks.csv")
    assert (
        "Not sure: session_id=a, by the values, as no column is called like that, item_id is told by its"
        in result.err
    )
    assert (
        "columns: {session_id: a, item_id: product, time: clicked_at}   # session_id: a guess" in result.out
    )


def test_of_a_large_log_the_first_rows_show_what_would_be_kept(
    prnn: Prnn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "WHOLE_BYTES", 100)
    for file in ("lists.jsonl", "latin.csv", "clicks.parquet", "lists.csv"):
        Path(file).write_bytes(FORMATS[file][0])
        kept = prnn("datasets", "describe", file).err.splitlines()[1]
        assert kept.startswith(
            f"{len(EVENTS)} of the first {len(EVENTS)} events would be kept, in 90 sessions of "
        )


def test_a_guess_that_would_keep_next_to_nothing_is_refused_with_what_to_write(prnn: Prnn) -> None:
    rows = [
        f"10.0.{n % 97}.{n * 7 % 89},{START + 600 * n},/p/{n * 31 % 501},{n * 13 % 901}" for n in range(2000)
    ]
    Path("access.csv").write_text("\n".join(["ip,when,url,bytes", *rows]) + "\n")
    result = prnn("datasets", "describe", "access.csv")
    assert (result.exit_code, result.out) == (2, "")
    assert (
        "the best guess, {session_id: ip, item_id: url, time: when}, makes no sense (0 of 2,000 events"
        in result.err
    )
    assert (
        "columns: {session_id: …, item_id: …, time: …}, with columns of ip (2,000 different), when"
        in result.err
    )


def test_columns_that_measure_are_no_ids(prnn: Prnn) -> None:
    rows = [f"{START + n},{n % 7},{n % 11},Mozilla {n % 13}" for n in range(500)]
    Path("log.csv").write_text("\n".join(["ts,status,bytes,agent", *rows]) + "\n")
    result = prnn("datasets", "describe", "log.csv")
    assert result.exit_code == 2
    assert "nothing in log.csv looks like a log" in result.err


def test_of_several_tables_of_items_one_with_text_is_taken_and_the_others_are_named(prnn: Prnn) -> None:
    Path("shop").mkdir()
    frame(item="sku").to_csv("shop/clicks.csv", index=False)
    pd.DataFrame({"sku": ITEMS, "supplier": range(20)}).to_csv("shop/a_links.csv", index=False)
    titles = [f"Red lamp {n}" for n in range(20)]
    pd.DataFrame({"sku": ITEMS, "title": titles}).to_csv("shop/products.csv", index=False)
    pd.DataFrame({"sku": ITEMS * 2, "title": titles * 2, "shelf": 1}).to_csv(
        "shop/b_shelves.csv", index=False
    )
    config = described(prnn, "shop")
    assert config["items"] == {
        "path": str(Path("shop/products.csv").absolute()),
        "item_id": "sku",
        "text": ["title"],
    }
    assert "# the same items: a_links.csv, b_shelves.csv" in Path("my_configs/dataset/shop.yaml").read_text()


def test_of_two_logs_the_larger_one_is_taken_and_the_other_is_named(prnn: Prnn) -> None:
    Path("shop").mkdir()
    frame(item="sku").to_csv("shop/views.csv", index=False)
    frame(item="article").iloc[:40].to_csv("shop/carts.csv", index=False)
    config = described(prnn, "shop")
    assert config["path"].endswith("/shop/views.csv")
    assert "carts.csv" in Path("my_configs/dataset/shop.yaml").read_text()


def test_a_path_that_goes_up_is_written_so_that_it_works(prnn: Prnn, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("shop", "pictures", "work"):
        Path(folder).mkdir()
    frame(item="sku").to_csv("shop/clicks.csv", index=False)
    pd.DataFrame({"sku": ITEMS, "title": "Red lamp"}).to_csv("shop/items.csv", index=False)
    for item in ITEMS:
        Image.fromarray(np.zeros((8, 8, 3), dtype=np.uint8)).save(f"pictures/{item}.png")
    monkeypatch.chdir("work")
    config = described(prnn, "../shop")
    assert ".." not in str(config)
    assert config["items"]["image_root"].endswith("/pictures")  # beside the table's folder
    run = ("features", "-cd", "my_configs", "dataset=shop", "features=colour_histogram", "hydra.run.dir=out")
    result = prnn(*run)
    assert result.exit_code == 0, result.err
    assert json.loads(Path("out/features.json").read_text())["sources"][0]["covered_items"] == len(ITEMS)


def test_days_of_a_spreadsheet_are_told_by_their_size(prnn: Prnn) -> None:
    table = frame()
    Path("days.csv").write_bytes(csv(table.assign(clicked_at=table["clicked_at"] / 86_400 + 25_569)))
    assert described(prnn, "days.csv")["time_format"] == "excel_days"


def test_a_known_name_is_not_taken(prnn: Prnn) -> None:
    Path("generic.csv").write_bytes(csv(frame()))
    assert described(prnn, "generic.csv")["name"] == "my_generic"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("price,stock\n1,2\n3,4\n", "looks like a log: a session or user, an item and a time are needed"),
        ("", "clicks.csv is empty"),
    ],
)
def test_what_is_no_log_is_a_sentence(prnn: Prnn, content: str, message: str) -> None:
    Path("clicks.csv").write_text(content)
    result = prnn("datasets", "describe", "clicks.csv")
    assert result.exit_code == 2
    assert message in result.err
    assert result.err.count("\n") == 1


def test_a_missing_path_and_other_words_are_refused(prnn: Prnn) -> None:
    assert "PATH=nope.csv does not exist" in prnn("datasets", "describe", "nope.csv").err
    assert (
        "write prnn datasets, prnn datasets NAME, or prnn datasets describe PATH"
        in prnn("datasets", "explain", "x").err
    )


def test_the_known_datasets_are_listed_with_what_they_are(
    prnn: Prnn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "logs" / "yoochoose").mkdir(parents=True)
    (tmp_path / "logs" / "yoochoose" / "yoochoose-clicks.dat").touch()
    monkeypatch.setenv("PRNN_DATA_DIR", str(tmp_path / "logs"))
    result = prnn("datasets")
    lines = {line.split()[0]: line for line in result.out.splitlines() if line.strip()}
    assert {"generic", "synthetic", "online_retail", "eshop_clothing"} <= lines.keys()
    assert "UCI Online Retail" in lines["online_retail"]
    assert [part.strip() for part in lines["coveo"].split("  ") if part][2:4] == [
        "36 M",
        "text and image vectors",
    ]
    assert lines["coveo"].endswith("–")
    assert lines["yoochoose"].endswith("here")


def test_a_public_log_tells_how_to_get_it(prnn: Prnn, workplace: Path) -> None:
    Path("data/movielens").mkdir(parents=True)
    Path("data/movielens/ratings.dat").touch()
    told = " ".join(prnn("datasets", "movielens").out.split())
    for sentence in (
        "page https://grouplens.org",
        "size 25 MB: 1,000,209 events, 6,040 sessions or users, 3,706 items",
        "test part dataset.split=leave_one_out",
        "folder data/movielens, unless dataset.path=DIR says another",
        "ratings.dat: the ratings; is there",
        "movies.dat: titles and genres (optional); is missing",
        "prnn fetch movielens",
        "prnn train dataset=movielens features=text recipe=cross_entropy",
    ):
        assert sentence in told
    assert "from the page; no address is known" in prnn("datasets", "coveo").out
    retailrocket = " ".join(prnn("datasets", "retailrocket").out.split())
    assert "dataset.split=days dataset.test_days=7 dataset.days=24_hours" in retailrocket
    assert prnn("datasets", "online_retail").out.startswith("UCI Online Retail")


def test_a_folder_of_pictures_is_found(prnn: Prnn, workplace: Path) -> None:
    covers = "MicroLens-50k_covers: cover images, from MicroLens-50k_covers.zip (optional); is"
    assert f"{covers} missing" in prnn("datasets", "microlens").out
    Path("data/microlens/MicroLens-50k_covers").mkdir(parents=True)
    assert f"{covers} there" in prnn("datasets", "microlens").out


def test_a_name_that_is_nearly_one_is_asked_about(prnn: Prnn) -> None:
    result = prnn("datasets", "covo")
    assert result.exit_code == 2
    assert "no dataset is called 'covo'; did you mean coveo?" in result.err


def test_names_in_a_log_are_text_in_the_config(prnn: Prnn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither is the environment read for a column, nor does the name of a file end its comment."""
    monkeypatch.setenv("PRNN_TEST_SECRET", "hunter2")
    Path("shop").mkdir()
    rows = [
        f"s{session},i{item},{1_710_000_000 + 20_000 * session + item}"
        for session in range(40)
        for item in range(4)
    ]
    Path("shop/log.csv").write_text("\n".join(["session_id,${oc.env:PRNN_TEST_SECRET},time", *rows, ""]))
    Path("shop/a\npath: evil.csv").write_text("")
    result = prnn("datasets", "describe", "shop/log.csv")
    assert result.exit_code == 0
    assert "hunter2" not in result.out + result.err
    config = yaml.safe_load(result.out)
    assert config["columns"]["item_id"] == r"\${oc.env:PRNN_TEST_SECRET}"
    assert config["path"].endswith("shop/log.csv")


def test_a_column_of_likely_times_goes_before_one_that_is_only_called_so(prnn: Prnn, workplace: Path) -> None:
    """Milliseconds since a session's start, read as times since 1970, are no dates of a log."""
    rows = [f"{s};{s % 9 + n};{n * 13_456};2016-05-{s % 28 + 1:02d}" for s in range(60) for n in range(3)]
    Path("views.csv").write_text("\n".join(["sessionId;itemId;timeframe;eventdate", *rows]))
    described = prnn("datasets", "describe", "views.csv")
    assert (
        "time: eventdate, order: timeframe}   # order: a guess" in described.out
    )  # no more than a day's seconds
    assert "Not sure: times are days alone, so that order=timeframe is a guess. Look at it." in described.err


@pytest.mark.parametrize(("separator", "of_session"), [(";", "SessionId"), (",", "session_id")])
def test_another_version_of_a_public_log_is_no_sure_thing_and_keeps_its_milliseconds(
    prnn: Prnn, workplace: Path, separator: str, of_session: str
) -> None:
    """Diginetica's views with other names of columns: the time of day stands in TimeFrame alone."""
    rows = [
        (s, (s + n) % 9, 100_000 * (3 - n), f"2016-05-{s % 28 + 1:02d}") for s in range(60) for n in range(3)
    ]
    Path("views").mkdir()
    lines = [(of_session, "ItemId", "TimeFrame", "EventDate"), *rows]
    text = "".join(separator.join(map(str, line)) + "\n" for line in lines)
    Path("views/train-item-views.csv").write_text(text)
    result = prnn("datasets", "describe", "views")
    for told in (
        "called like those of DIGINETICA",
        "dataset=diginetica reads session_id: sessionId, item_id: itemId, time: eventdate, milliseconds: timeframe; ",
        "Not sure: they may be another version of what prnn knows; times are days alone, so that "
        "milliseconds=TimeFrame is a guess.",
    ):
        assert told in result.err
    assert "Sure of" not in result.err
    config = yaml.safe_load(result.out)
    assert config["columns"] == {
        "session_id": of_session,
        "item_id": "ItemId",
        "time": "EventDate",
        "milliseconds": "TimeFrame",
    }
    Path("my_configs/dataset").mkdir(parents=True)
    Path("my_configs/dataset/views.yaml").write_text(result.out)
    assert prnn("preprocess", "-cd", "my_configs", "dataset=views", "hydra.run.dir=out").exit_code == 0
    first = pd.read_parquet("out/events.parquet").iloc[:3]
    assert np.diff(first["time"]).tolist() == [100, 100]
    items = pd.read_parquet("out/items.parquet")["item_id"]
    assert items[first["item_index"]].tolist() == ["2", "1", "0"]


def test_days_whose_events_nothing_orders_are_told(prnn: Prnn, workplace: Path) -> None:
    rows = [f"{s},{s % 9 + n},2016-05-{s % 28 + 1:02d},{n}" for s in range(60) for n in range(3)]
    for column, sure in (("price", False), ("dwell_time", False), ("position", True)):
        Path("views.csv").write_text("\n".join([f"session,item,day_date,{column}", *rows]))
        told = prnn("datasets", "describe", "views.csv").err
        assert ("nothing orders the events of a day but their rows" in told) != sure
        assert ("Sure of the columns" in told) == sure


def test_a_table_of_properties_is_told_from_one_with_a_row_an_item(prnn: Prnn) -> None:
    """As Retailrocket's, under other names, in two parts, and with times in seconds beside a log in milliseconds."""
    Path("shop").mkdir()
    frame(item="sku", unit=1000).to_csv("shop/clicks.csv", index=False)
    facts = [(START - 9, item, "colour", f"red {n} lamp") for n, item in enumerate(ITEMS)]
    facts += [(START - 9 + 10**6 * late, item, "stock", late) for item in ITEMS for late in (0, 1)]
    table = pd.DataFrame(facts, columns=["timestamp", "itemid", "property", "value"])
    table.iloc[:30].to_csv("shop/facts_1.csv", index=False)
    table.iloc[30:].to_csv("shop/facts_2.csv", index=False)
    result = prnn("datasets", "describe", "shop")
    assert "Not sure: facts_1.csv seems to hold a row for each property of an item. Look at it." in result.err
    assert "arch=id_only" not in result.err
    config = described(prnn, "shop")
    assert config["path"].endswith("/clicks.csv")
    assert config["items"] == {
        "path": [str(Path(f"shop/facts_{n}.csv").absolute()) for n in (1, 2)],
        "item_id": "itemid",
        "properties": {
            "property": "property",
            "value": "value",
            "time": "timestamp",
            "time_format": "seconds",
        },
    }
    run = ("features", "-cd", "my_configs", "dataset=shop", "features=text", "hydra.run.dir=out")
    assert prnn(*run).exit_code == 0
    assert json.loads(Path("out/features.json").read_text())["sources"][0]["covered_items"] == len(ITEMS)


def test_an_items_table_that_repeats_items_is_no_sure_thing(prnn: Prnn) -> None:
    Path("shop").mkdir()
    frame(item="sku").to_csv("shop/clicks.csv", index=False)
    titles = [f"Red lamp {n}" for n in range(40)]
    pd.DataFrame({"sku": ITEMS * 2, "title": titles}).to_csv("shop/titles.csv", index=False)
    told = prnn("datasets", "describe", "shop").err
    assert "Not sure: titles.csv has several rows for an item, of which the first counts." in told


def test_describe_without_a_path_asks_for_one(prnn: Prnn) -> None:
    assert "write prnn datasets describe PATH" in prnn("datasets", "describe").err


def test_a_column_that_is_mostly_empty_orders_nothing(prnn: Prnn) -> None:
    rows = [f"{n // 3},{n % 7},{1000 + n},{n if n % 40 == 0 else ''}" for n in range(120)]
    Path("log.csv").write_text("\n".join(["session_id,item_id,time,order", *rows]) + "\n")
    told = prnn("datasets", "describe", "log.csv")
    assert "order:" not in told.out
    assert "Sure of the columns" in told.err
    assert "Once saved, train by" in told.err


def test_where_nothing_would_be_kept_there_is_nothing_to_train(prnn: Prnn) -> None:
    Path("log.csv").write_text("session_id,item_id,time\n1,a,100\n1,b,101\n2,c,102\n2,d,103\n")
    told = " ".join(prnn("datasets", "describe", "log.csv").err.split())
    assert "Not sure: no event would be kept" in told
    assert "There is nothing to train on" in told
    assert "train by" not in told
