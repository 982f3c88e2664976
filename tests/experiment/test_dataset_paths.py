"""A relative path in a dataset's YAML holds from that file, one on the command line from the current folder."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from commands.conftest import SMALL, Result, refusal

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]
ROWS = [f"s{s},i{(s + n) % 7},{8640 * s + n}" for s in range(60) for n in range(4)]
TRAIN = ("train", "-cd", "home/configs", *SMALL[4:], "dataset=shop", "hydra.run.dir=runs/mine")


@pytest.fixture
def home(workplace: Path) -> Path:
    """home/configs/dataset/shop.yaml, whose log and items lie in home/shop; home/configs/dataset/base.yaml below it."""
    configs, shop = workplace / "home" / "configs" / "dataset", workplace / "home" / "shop"
    configs.mkdir(parents=True)
    shop.mkdir()
    (shop / "clicks.csv").write_text("\n".join(["session_id,item_id,time", *ROWS]) + "\n")
    (shop / "items.csv").write_text("".join(["item_id,title\n", *(f"i{n},Item {n}\n" for n in range(7))]))
    write = {
        "base": "defaults: [generic]\npath: ../../shop/*.csv\nitems: {path: ../../shop/items.csv, text: [title]}\n",
        "shop": "defaults: [base]\nname: shop\npath: ../../shop/clicks.csv\n",
    }
    for name, text in write.items():
        (configs / f"{name}.yaml").write_text(text)
    return workplace / "home"


def paths(run: str) -> list[str]:
    stored = OmegaConf.load(Path(run, ".hydra", "config.yaml"))
    return [OmegaConf.select(stored, key) for key in ("dataset.path", "dataset.items.path")]


@pytest.mark.parametrize("where", ["home/configs/dataset", "elsewhere"])
def test_paths_in_a_file_hold_from_the_file_wherever_the_command_is_started(
    where: str, home: Path, prnn: Prnn, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(where).mkdir(exist_ok=True)
    monkeypatch.chdir(where)
    configs = os.path.relpath(home / "configs")
    result = prnn("features", "-cd", configs, "dataset=shop", "features=text", "hydra.run.dir=out")
    assert result.exit_code == 0, result.err
    assert paths("out") == [str(home / "shop" / name) for name in ("clicks.csv", "items.csv")]


def test_so_do_the_paths_of_an_option_that_names_several_files(home: Path, prnn: Prnn) -> None:
    shop = home / "shop"
    (shop / "more.csv").write_text("item_id,title\ni7,Item 7\n")
    (home / "configs" / "dataset" / "several.yaml").write_text(
        "defaults: [shop]\nname: several\n"
        "items: {path: [../../shop/items.csv, ../../shop/more.csv], vectors: {image: ../../shop/v.npy}}\n"
    )
    np.save(shop / "v.npy", np.eye(7))
    result = prnn("features", "-cd", "home/configs", "dataset=several", "features=text", "hydra.run.dir=out")
    assert result.exit_code == 0, result.err
    items = OmegaConf.load("out/.hydra/config.yaml").dataset["items"]
    assert items.path == [str(shop / "items.csv"), str(shop / "more.csv")]
    assert items.vectors == {"image": str(shop / "v.npy")}


def test_paths_on_the_command_line_hold_from_the_current_folder(
    home: Path, prnn: Prnn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home / "shop")
    own = ("preprocess", "-cd", "../configs", "dataset=shop")
    assert prnn(*own, "dataset.path=clicks.csv", "hydra.run.dir=out").exit_code == 0
    assert paths("out") == [str(home / "shop" / name) for name in ("clicks.csv", "items.csv")]
    as_in_the_file = "dataset.path=../../shop/clicks.csv"
    assert f"{as_in_the_file} does not exist" in refusal(prnn(*own, as_in_the_file, "hydra.run.dir=refused"))
    items = "dataset.items={path: items.csv, text: [title]}"
    assert prnn(*own, items, "hydra.run.dir=other").exit_code == 0
    assert paths("other")[1] == str(home / "shop" / "items.csv")


def test_the_shipped_datasets_have_no_path_of_their_own(prnn: Prnn, home: Path) -> None:
    assert "dataset.path has no value" in refusal(prnn("preprocess", "dataset=generic"))
    assert "dataset.path has no value" in refusal(prnn("preprocess", "dataset=online_retail"))


def test_a_run_goes_on_from_elsewhere_as_the_same_file_has_one_path(
    home: Path, prnn: Prnn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home.parent)
    assert prnn(*TRAIN, "dataset.path=home/configs/../shop/clicks.csv").exit_code == 0
    for path in (["dataset.path=home/shop/clicks.csv"], []):  # typed, and as the file says
        Path("runs/mine/metrics.json").unlink()
        result = prnn(*TRAIN, *path, "resume=true")
        assert result.exit_code == 0, result.err
    monkeypatch.chdir(home)
    result = prnn("train", "-cd", "configs", *TRAIN[3:-1], "hydra.run.dir=../runs/mine", "resume=true")
    assert result.exit_code == 0, result.err
    assert prnn("evaluate", "run=../runs/mine").exit_code == 0


def test_each_job_of_a_sweep_finds_its_files(home: Path, prnn: Prnn) -> None:
    sweep = ("-m", "dataset=shop,base", "hydra.sweep.dir=sweep", "dataset.path=home/shop/clicks.csv")
    result = prnn("preprocess", "-cd", "home/configs", *sweep)
    assert result.exit_code == 0, result.err
    assert [paths(f"sweep/{n}")[1] for n in (0, 1)] == [str(home / "shop" / "items.csv")] * 2


@pytest.mark.nightly
def test_a_search_finds_its_files(home: Path, prnn: Prnn) -> None:
    pytest.importorskip("optuna")
    search = (
        "search=id_only",
        "search.trials=1",
        "search.prune=false",
        "dataset.validation_days=2",
        "epochs=1",
    )
    result = prnn("train", "-cd", "home/configs", *SMALL[4:], "dataset=shop", *search)
    assert result.exit_code == 0, result.err
    (stored,) = Path("runs/tuned/shop/id_only").glob("*/.hydra/config.yaml")
    assert OmegaConf.load(stored).dataset.path == str(home / "shop" / "clicks.csv")
