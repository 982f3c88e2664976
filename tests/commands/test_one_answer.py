"""One log, one seed, one answer: what changes neither what a log says nor the seed changes no rank of any method."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from prnn_cli.baselines import pairs_of_items, sequential_rules
from prnn_cli.cli import main
from prnn_cli.data.formats import data_file
from prnn_cli.evaluation import ranking, replay, tiles
from prnn_cli.system.hardware import num_threads

DAY_S = 86_400
COLOURS, THINGS = ("blue", "green", "red", "white"), ("bowl", "cup", "jar", "lamp", "vase")
SIZES = ("large", "medium", "small")
ITEMS = [f"{colour}-{thing}" for colour in COLOURS for thing in THINGS]
OPTIONS = [
    "dataset=generic",
    "dataset.items.path=items.csv",
    "dataset.items.text=[title]",
    "arch=parallel",
    "features=text",
    "units.each=6",
    "recipe.batch_size=8",
    "recipe.num_sampled=4",
    "recipe.dropout=0.2",
    "baselines=strong",
    *(f"baselines.{name}.k=10" for name in ("s_knn", "v_sknn", "stan", "vstan")),  # of many that are as near
    "epochs=1",
    "table.figures=false",
    "hardware=cpu",
    "hardware.compile=never",
]


class Answer(NamedTuple):
    """The rank of every test click by every method, and what the network learned."""

    ranks: pd.DataFrame
    parameters: dict[str, torch.Tensor]


class Row(NamedTuple):
    """A click; order: its number within the session."""

    session_id: str
    item_id: str
    time: int
    order: int


# Six days of 16 sessions of three to six clicks. Sessions overlap, and no two clicks have the same time.
ROWS = sorted(
    (
        Row(
            session_id=f"s{number:02}",
            item_id=ITEMS[(number * number // 3 + (1 + number % 7) * click) % len(ITEMS)],
            time=1_700_006_400 + DAY_S * (number // 16) + 100 * (number % 16) + 61 * click,
            order=click,
        )
        for number in range(96)
        for click in range(3 + number % 4)
    ),
    key=lambda row: row.time,
)
# The same clicks, all of a session at one time, as of an order.
AT_ONCE = [row._replace(time=row.time - 61 * row.order) for row in ROWS]


def write_csv(rows: Sequence[Row], path: str = "clicks.csv") -> None:
    pd.DataFrame(rows).to_csv(path, index=False)


def answer(
    *options: str,
    path: str = "clicks.csv",
    run: str = "run",
    items: Sequence[str] = ITEMS,
    names: Callable[[str], str] = str,
) -> Answer:
    """Trains in the folder `run`.

    path: of the log; items: as the table lists them; names: how the log and the table call an item, which the answer
    calls by its first name
    """
    titles = {item: f"{item.replace('-', ' ')}, {SIZES[len(item) % 3]}" for item in items}
    pd.DataFrame({"item_id": map(names, items), "title": titles.values()}).to_csv("items.csv", index=False)
    assert main(["train", *OPTIONS, *options, f"dataset.path={path}", f"hydra.run.dir={run}"]) == 0
    first_name = {names(item): item for item in ITEMS}
    ranks, known = (pd.read_parquet(f"{run}/{name}.parquet") for name in ("ranks", "items"))
    item_of = known.set_index("item_index")["item_id"].map(first_name)
    ranks["item_index"] = ranks["item_index"].map(item_of)
    return Answer(ranks, load_file(f"{run}/model.safetensors"))


def assert_same(one: Answer, other: Answer) -> None:
    """To the bit."""
    pd.testing.assert_frame_equal(one.ranks, other.ranks)
    assert one.parameters.keys() == other.parameters.keys()
    for name, value in one.parameters.items():
        assert torch.equal(value, other.parameters[name]), name


@pytest.fixture(autouse=True)
def own_cache(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is taken from the answer that it is compared with."""
    monkeypatch.setenv("PRNN_CACHE_DIR", "cache")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answer]:
    """The folder of the run on `ROWS`, and its answer."""
    folder = tmp_path_factory.mktemp("first")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PRNN_CACHE_DIR", str(folder / "cache"))
        write_csv(ROWS)
        return folder / "run", answer()


@pytest.fixture
def first_answer(first: tuple[Path, Answer]) -> Answer:
    return first[1]


def test_the_methods_answer_differently(first_answer: Answer) -> None:
    """What the other tests rest on: ranks that a change could show in, of a network and thirteen baselines."""
    by_method = first_answer.ranks.filter(like="rank_")
    assert by_method.shape == (56, 14)
    assert by_method.nunique().min() >= 3
    assert not by_method.T.duplicated().any()


def as_table(time_format: str) -> pd.DataFrame:
    """The log with its times written otherwise."""
    rows = pd.DataFrame(ROWS)
    times = pd.to_datetime(rows["time"], unit="s")
    written = {"milliseconds": 1000 * rows["time"], "timestamps": times, "iso": times.map(str)}
    return rows.assign(time=written[time_format])


# What the log is written as, path -> how.
WRITTEN: dict[str, Callable[[str], None]] = {
    "clicks.tsv.gz": lambda path: as_table("milliseconds").to_csv(path, sep="\t", index=False),
    "clicks.parquet": lambda path: as_table("timestamps").to_parquet(path),
    "clicks.jsonl.gz": lambda path: as_table("iso").to_json(path, orient="records", lines=True),
}


@pytest.mark.parametrize("path", list(WRITTEN))
def test_neither_the_format_of_the_log_nor_that_of_its_times_matters(path: str, first_answer: Answer) -> None:
    WRITTEN[path](path)
    assert_same(answer(path=path), first_answer)


def test_neither_the_order_of_the_rows_nor_how_files_divide_them_matters(first_answer: Answer) -> None:
    """Three files, each of which has every third row, the last one first."""
    Path("log").mkdir()
    for number in range(3):
        write_csv(ROWS[number::3][::-1], f"log/{number}.csv")
    assert_same(answer(path="log"), first_answer)


def test_the_names_of_sessions_do_not_matter(first_answer: Answer) -> None:
    """s95 becomes 59s, and s09 90s: names in quite another order."""
    write_csv([row._replace(session_id=row.session_id[::-1]) for row in ROWS])
    assert_same(answer(), first_answer)


def test_names_of_items_in_the_same_order_do_not_matter(first_answer: Answer) -> None:
    write_csv([row._replace(item_id=in_the_same_order(row.item_id)) for row in ROWS])
    assert_same(answer(names=in_the_same_order), first_answer)


def in_the_same_order(item: str) -> str:
    return f"shop/{item.upper()}"


def test_names_of_items_in_another_order_matter_to_no_baseline(first_answer: Answer) -> None:
    """Items are numbered in the order of their names, and a network draws its initial values in that of the numbers."""
    write_csv([row._replace(item_id=backwards(row.item_id)) for row in ROWS])
    renamed, once = (
        each.ranks.drop(columns="rank_network") for each in (answer(names=backwards), first_answer)
    )
    pd.testing.assert_frame_equal(renamed, once)


def backwards(item: str) -> str:
    return item[::-1]


def test_the_order_of_the_items_table_does_not_matter(first_answer: Answer) -> None:
    write_csv(ROWS)
    assert_same(answer(items=ITEMS[::-1]), first_answer)


def test_the_day_on_which_the_log_begins_does_not_matter(first_answer: Answer) -> None:
    """A leap year and more earlier, so that times have fewer bits before the point."""
    write_csv([row._replace(time=row.time - 10_000 * DAY_S) for row in ROWS])
    assert_same(answer(), first_answer)


def test_an_order_column_or_else_the_order_of_the_rows_orders_what_has_one_time() -> None:
    """Sessions from the last to the first, each from its first click on; then all rows backwards, with the column."""
    write_csv(AT_ONCE)
    as_written = answer()
    write_csv(sorted(AT_ONCE, key=lambda row: row.session_id, reverse=True), "by_session.csv")
    assert_same(answer(path="by_session.csv", run="by_session"), as_written)
    write_csv(AT_ONCE[::-1], "backwards.csv")
    assert_same(answer("dataset.columns.order=order", path="backwards.csv", run="backwards"), as_written)


def test_neither_tiles_nor_blocks_matter(first_answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted, read and multiplied in pieces is so small here that it is one piece; now it is many."""
    monkeypatch.setitem(replay.MAX_SLOTS, "cpu", 3)
    monkeypatch.setattr(replay, "STEPS_A_TICK", 2)
    monkeypatch.setattr(tiles, "ROWS", 5)
    monkeypatch.setattr(tiles, "TILE", 7 * 5)  # seven items of five events
    monkeypatch.setattr(ranking, "CACHED_SCORES", 2 * len(ITEMS))
    monkeypatch.setattr(pairs_of_items, "PAIRS_A_BLOCK", 100)
    monkeypatch.setattr(sequential_rules, "PAIRS_A_BLOCK", 100)
    monkeypatch.setattr(data_file, "BLOCK_BYTES", 1000)
    write_csv(ROWS)
    assert_same(answer(), first_answer)


def test_the_number_of_threads_that_rank_does_not_matter(
    first: tuple[Path, Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of two threads counts some of the tiles, and a baseline's thread some of the sessions."""
    monkeypatch.setattr(tiles, "TILE", 4 * tiles.ROWS)  # four items
    run, _ = first
    with num_threads(2):
        assert main(["evaluate", f"run={run}", "hydra.run.dir=again", "hardware=cpu"]) == 0
    again, once = (pd.read_parquet(folder / "ranks.parquet") for folder in (Path("again"), run))
    pd.testing.assert_frame_equal(again, once)
