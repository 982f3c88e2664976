"""Every preset of a public log reads files of exactly its schema, from the folder to a trained network."""

import gzip
import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from omegaconf import OmegaConf

from commands.conftest import Result
from prnn_cli.extensions import own_configs
from public.public_log import PublicLog

Prnn = Callable[..., Result]
PRESETS = sorted(
    path.stem
    for path in (own_configs() / "dataset").glob("*.yaml")
    if "source" in OmegaConf.to_container(OmegaConf.load(path)) and path.stem != "generic"
)
# Lists without times, vectors, last events, properties.
OF_EACH_KIND = ("amazon_m2", "coveo", "movielens", "retailrocket")
TINY = ["arch=id_only", "units={id: 4, feature: 4, each: 4}", "epochs=1", "recipe.batch_size=2"]
TINY += ["dataset.min_ranked_events=1", "recipe.num_sampled=2", "hardware=cpu", "hardware.threads=1"]


@pytest.fixture
def public(tmp_path: Path) -> Callable[[str], tuple[PublicLog, list[str]]]:
    """public(NAME): the small log, and the overrides that read it."""

    def written(name: str) -> tuple[PublicLog, list[str]]:
        log: PublicLog = importlib.import_module(f"public.{name}").LOG
        folder = tmp_path / "files"
        folder.mkdir()
        log.write(folder)
        return log, [f"dataset={log.name}", f"dataset.path={folder}", *log.options]

    return written


def source_of(name: str) -> dict[str, Any]:
    content: Any = OmegaConf.to_container(OmegaConf.load(own_configs() / "dataset" / f"{name}.yaml"))
    source: dict[str, Any] = content["source"]
    return source


def newest(pattern: str) -> Path:
    return max(Path("runs").glob(pattern), key=lambda path: path.stat().st_mtime)


def latest(pattern: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(newest(pattern).read_text())
    return found


def prepared_sessions(folder: Path) -> dict[str, str]:
    """Session -> its items in their order; of one that stands in two parts, those of training."""
    items = pd.read_parquet(folder / "items.parquet")["item_id"].to_numpy()
    events = pd.read_parquet(folder / "events.parquet")
    item_ids = events["item_index"].map(lambda index: items[index])
    texts = item_ids.groupby([events["part"], events["session_id"].astype(str)], observed=True).agg(" ".join)
    return {**texts["test"].to_dict(), **texts["train"].to_dict()}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_keeps_what_was_counted_by_hand(prnn: Prnn, public: Any, name: str) -> None:
    log, options = public(name)
    result = prnn("preprocess", *options)
    assert result.exit_code == 0, result.err
    summary = latest("*/summary.json")
    assert (summary["rows"], summary["train"], summary["test"], summary["items"]) == (
        log.rows,
        log.train,
        log.test,
        log.num_items,
    )
    prepared = prepared_sessions(newest("*/summary.json").parent)
    assert {session: prepared[session] for session in log.sessions} == log.sessions


@pytest.mark.parametrize("name", [name for name in PRESETS if source_of(name)["features"] != "none"])
def test_its_features_cover_the_items_that_have_such(prnn: Prnn, public: Any, name: str) -> None:
    log, options = public(name)
    assert f"features={source_of(name)['features']}" in log.features
    result = prnn("features", *options, *log.features)
    assert result.exit_code == 0, result.err
    found = {source["source"]: source["covered_items"] for source in latest("*/features.json")["sources"]}
    assert found == log.coverage


@pytest.mark.parametrize(
    "name",
    [each if each in OF_EACH_KIND else pytest.param(each, marks=pytest.mark.nightly) for each in PRESETS],
)
def test_a_network_is_trained_on_it(prnn: Prnn, public: Any, name: str) -> None:
    log, options = public(name)
    arch = ["arch=parallel", *log.features] if log.features else ["arch=id_only"]
    result = prnn("train", *options, *TINY, *arch)
    assert result.exit_code == 0, result.err
    assert latest("*/metrics.json")["num_test_events"] > 0


@pytest.mark.parametrize("name", PRESETS)
def test_a_folder_without_its_files_is_named(prnn: Prnn, name: str, tmp_path: Path) -> None:
    (tmp_path / "clicks.csv").write_text("a,b\n1,2\n")
    result = prnn("preprocess", f"dataset={name}", f"dataset.path={tmp_path}")
    assert result.exit_code != 0
    assert f"lacks {next(iter(source_of(name)['files']))}" in " ".join(result.err.split())
    assert f"prnn datasets {name} says how to get them" in " ".join(result.err.split())


@pytest.mark.parametrize("name", PRESETS)
def test_it_says_where_it_comes_from_and_what_was_verified(name: str) -> None:
    source = source_of(name)
    assert source["page"].startswith("https://")
    assert all(source[key] for key in ("title", "licence", "size", "files", "features", "verified"))


@pytest.mark.parametrize("name", PRESETS)
def test_describe_recognises_its_files(prnn: Prnn, public: Any, name: str, tmp_path: Path) -> None:
    public(name)
    folder = tmp_path / "files"
    result = prnn("datasets", "describe", str(folder))
    assert result.exit_code == 0, result.err
    assert f"prnn preprocess dataset={name} dataset.path={folder}" in result.out
    assert OmegaConf.create(result.out) == {"defaults": [name], "path": str(folder)}


def test_its_files_may_be_compressed(prnn: Prnn, public: Any, tmp_path: Path) -> None:
    _, options = public("coveo")
    for file in (tmp_path / "files").glob("*.csv"):
        file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    result = prnn("features", *options, "features=vector_columns")
    assert result.exit_code == 0, result.err
    assert "dataset=coveo" in prnn("datasets", "describe", str(tmp_path / "files")).out


def test_files_of_another_version_are_told_from_those_that_are_known(
    prnn: Prnn, public: Any, tmp_path: Path
) -> None:
    public("coveo")
    events = tmp_path / "files" / "browsing_train.csv"
    events.write_text(events.read_text().replace("product_sku_hash", "product_skus_hash"))
    described = " ".join(prnn("datasets", "describe", str(tmp_path / "files")).err.split())
    assert "are called like those of Coveo" in described
    assert "has no column 'product_sku_hash'" in described
    read = prnn("preprocess", "dataset=coveo", f"dataset.path={tmp_path / 'files'}")
    assert read.exit_code == 2
    assert "has no column 'product_sku_hash'" in " ".join(read.err.split())
    assert "prnn datasets coveo says which" in " ".join(read.err.split())


def test_a_missing_items_table_is_named_where_features_need_it(
    prnn: Prnn, public: Any, tmp_path: Path
) -> None:
    _, options = public("coveo")
    (tmp_path / "files" / "sku_to_content.csv").unlink()
    assert prnn("preprocess", *options).exit_code == 0
    result = prnn("features", *options, "features=vector_columns")
    assert result.exit_code == 2
    told = " ".join(result.err.split())
    assert "sku_to_content.csv does not exist" in told
    assert "prnn datasets coveo says which, and how to get them" in told
