"""A model outlives its log: what prnn recommend needs lies in the run's folder."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from commands.conftest import Result
from prnn_cli.cli import main

Prnn = Callable[..., Result]

TRAIN = [
    *(
        "dataset=generic",
        "dataset.path=clicks.csv",
        "dataset.items.path=items.csv",
        "dataset.items.text=[title]",
    ),
    *(
        "features=text",
        "features.tfidf.min_documents=1",
        "arch=parallel",
        "units.each=4",
        "recipe.batch_size=16",
    ),
    *("epochs=1", "baselines=[popularity]", "hardware=cpu", "hardware.threads=1", "hydra.run.dir=runs/mine"),
]
TITLES = ["red lamp", "blue vase", "red vase", "blue lamp", "green chair", "green lamp", "red chair"]
ASKED = ["session=[i1,i2]", "n=3"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with clicks.csv, items.csv, cache, the run runs/mine, and what it recommends in before."""
    folder = tmp_path_factory.mktemp("shop")
    rows = [(f"s{s}", f"i{(s + n) % 7}", 8640 * s + n) for s in range(60) for n in range(4)]
    pd.DataFrame(rows, columns=["session_id", "item_id", "time"]).to_csv(folder / "clicks.csv", index=False)
    items = pd.DataFrame({"item_id": [f"i{n}" for n in range(7)], "title": TITLES})
    items.to_csv(folder / "items.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PRNN_CACHE_DIR", str(folder / "cache"))
        assert main(["train", *TRAIN]) == 0
        assert main(["recommend", "run=runs/mine", *ASKED, "hydra.run.dir=before"]) == 0
    return folder


@pytest.fixture
def own_shop(shop: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The shop, moved to the current folder for the time of a test, as paths in it hold where it was made."""
    kept = workplace / "kept"
    shutil.copytree(shop, kept)
    monkeypatch.setenv("PRNN_CACHE_DIR", str(shop / "cache"))
    monkeypatch.chdir(shop)
    yield shop
    os.chdir(workplace)
    shutil.rmtree(shop)
    shutil.copytree(kept, shop)


def log_is_gone() -> str:
    Path("clicks.csv").unlink()
    return "runs/mine"


def log_has_grown() -> str:
    with Path("clicks.csv").open("a") as log:
        log.write("later,i1,999999\nlater,new,999999\n")
    return "runs/mine"


def cache_is_empty() -> str:
    shutil.rmtree("cache")
    return "runs/mine"


def one_is_elsewhere() -> str:
    Path("elsewhere").mkdir()
    os.chdir("elsewhere")
    return "../runs/mine"


def run_was_moved() -> str:
    Path("archive").mkdir()
    shutil.move("runs/mine", "archive/best")
    return "archive/best"


def nothing_is_left_but_the_run() -> str:
    for name in ("clicks.csv", "items.csv"):
        Path(name).unlink()
    shutil.rmtree("cache")
    return run_was_moved()


@pytest.mark.parametrize(
    "happens", [log_is_gone, log_has_grown, cache_is_empty, one_is_elsewhere, run_was_moved]
)
def test_what_happens_to_the_rest_changes_nothing(
    happens: Callable[[], str], own_shop: Path, prnn: Prnn
) -> None:
    result = prnn("recommend", f"run={happens()}", *ASKED, f"hydra.run.dir={own_shop}/after")
    assert result.exit_code == 0, result.err
    before, after = (
        pd.read_parquet(own_shop / name / "recommendations.parquet") for name in ("before", "after")
    )
    assert after.equals(before)
    assert all(title in result.out for title in after["item_id"].str[1:].astype(int).map(TITLES.__getitem__))


def items_table_is_gone() -> str:
    Path("items.csv").unlink()
    return "runs/mine"


@pytest.mark.parametrize("happens", [items_table_is_gone, nothing_is_left_but_the_run])
def test_without_the_table_of_items_their_texts_are_not_shown_and_a_line_says_so(
    happens: Callable[[], str], own_shop: Path, prnn: Prnn
) -> None:
    result = prnn("recommend", f"run={happens()}", *ASKED, f"hydra.run.dir={own_shop}/after")
    assert result.exit_code == 0, result.err
    before, after = (
        pd.read_parquet(own_shop / name / "recommendations.parquet") for name in ("before", "after")
    )
    assert after.equals(before)
    assert "without the items' texts: " in result.err
    assert "items.csv" in result.err
    assert "Text" not in result.out


def test_the_sessions_of_a_log_need_no_more_than_those_of_the_command_line(
    own_shop: Path, prnn: Prnn
) -> None:
    Path("today.csv").write_text("session_id,item_id,time\na,i1,1\na,i2,2\n")
    run = nothing_is_left_but_the_run()
    assert prnn("recommend", f"run={run}", "sessions=today.csv", "n=3", "hydra.run.dir=after").exit_code == 0
    before, after = (pd.read_parquet(f"{name}/recommendations.parquet") for name in ("before", "after"))
    assert after["item_id"].tolist() == before["item_id"].tolist()
