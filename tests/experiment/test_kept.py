"""A run's files are its own: what is swapped is refused, and what has changed elsewhere changes no number."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from commands.conftest import Result, refusal
from prnn_cli.cli import main

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]

OWN = [
    *(
        "dataset=generic",
        "dataset.path=clicks.csv",
        "dataset.items.path=items.csv",
        "dataset.items.text=[title]",
    ),
    *("dataset.items.image=picture", "features=image_and_text", "features.sources.image=colour_histogram"),
    *("features.tfidf.min_documents=1", "arch=parallel", "units.each=4", "recipe.batch_size=16", "epochs=1"),
    *("hardware=cpu", "hardware.threads=1"),
]
RUNS = [
    ("mine", "seed=1"),
    ("other", "seed=2"),
    ("faster", "seed=1", "recipe.learning_rate=0.5"),
    ("longer", "seed=1", "epochs=2"),
]
WORDS = ["red lamp", "blue vase", "red vase", "blue lamp", "green chair", "green lamp", "red chair"]


def write_log(folder: Path) -> None:
    rows = [(f"s{s}", f"i{(s + n) % 7}", 8640 * s + n) for s in range(60) for n in range(4)]
    pd.DataFrame(rows, columns=["session_id", "item_id", "time"]).to_csv(folder / "clicks.csv", index=False)
    write_items(folder, WORDS, "red")


def write_items(folder: Path, words: list[str], colour: str) -> None:
    for n in range(7):
        Image.new("RGB", (8, 8), colour if n % 2 else (30 * n, 100, 200)).save(folder / f"p{n}.png")
    items = {
        "item_id": [f"i{n}" for n in range(7)],
        "title": words,
        "picture": [f"p{n}.png" for n in range(7)],
    }
    pd.DataFrame(items).to_csv(folder / "items.csv", index=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """runs/mine and runs/other, of another seed, on one log; and runs/faster, of another learning rate."""
    folder = tmp_path_factory.mktemp("trained")
    write_log(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PRNN_CACHE_DIR", str(folder / "cache"))
        for name, *overrides in RUNS:
            assert main(["train", *OWN, *overrides, f"hydra.run.dir=runs/{name}"]) == 0
    return folder


@pytest.fixture
def mine(trained: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of all of it, in the current folder."""
    shutil.copytree(trained, workplace, dirs_exist_ok=True)
    monkeypatch.setenv("PRNN_CACHE_DIR", str(workplace / "cache"))
    return Path("runs/mine")


def log_of(folder: Path) -> list[str]:
    return [f"dataset.path={folder}/clicks.csv", f"dataset.items.path={folder}/items.csv"]


def ranks(folder: str | Path) -> pd.DataFrame:
    return pd.read_parquet(Path(folder, "ranks.parquet"))


def test_other_words_and_pictures_change_no_number_of_a_finished_run(prnn: Prnn, workplace: Path) -> None:
    """As many different words as before, so that the shapes of all parameters stay."""
    write_log(workplace)
    assert prnn("train", *OWN, "hydra.run.dir=runs/mine").exit_code == 0
    write_items(workplace, WORDS[::-1], "white")
    assert prnn("evaluate", "run=runs/mine", "hydra.run.dir=again").exit_code == 0
    assert ranks("again").equals(ranks("runs/mine"))


def test_other_words_or_pictures_end_a_resumption_by_name_and_the_old_ones_go_on(
    prnn: Prnn, workplace: Path
) -> None:
    write_log(workplace)
    assert prnn("train", *OWN, "hydra.run.dir=runs/mine").exit_code == 0
    more = ["train", *OWN, "strategy=simultaneous", "hydra.run.dir=runs/more"]
    assert prnn(*more).exit_code == 0
    more += ["epochs=2", "resume=true"]
    for words, colour, changed in ((WORDS[::-1], "red", "text"), (WORDS, "white", "image")):
        write_items(workplace, words, colour)
        assert f"the vectors of {changed} have changed since" in refusal(prnn(*more))
    write_items(workplace, WORDS, "red")
    assert prnn(*more).exit_code == 0


@pytest.mark.parametrize("other", ["other", "faster"])
@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("model.safetensors", "evaluate"),
        ("model.safetensors", "recommend"),
        ("metrics.json", "evaluate"),
        (".hydra/config.yaml", "recommend"),
    ],
)
def test_a_file_of_another_run_is_refused(
    mine: Path, other: str, file: str, command: str, prnn: Prnn
) -> None:
    shutil.copy(Path("runs", other, file), mine / file)
    arguments = ["session=[i1]"] if command == "recommend" else []
    sentence = refusal(prnn(command, "run=runs/mine", *arguments))
    assert "belongs to another run: " in sentence
    assert ("its seed is" if other == "other" else "settings") in sentence


@pytest.mark.parametrize("name", ["state", "previous"])
@pytest.mark.parametrize("other", ["other", "faster"])
def test_a_checkpoint_of_another_run_is_refused(
    mine: Path, trained: Path, other: str, name: str, prnn: Prnn
) -> None:
    for file in (mine / "checkpoint").iterdir():
        file.unlink()
    shutil.copy(f"runs/{other}/checkpoint/state.safetensors", mine / f"checkpoint/{name}.safetensors")
    (mine / "metrics.json").unlink()
    resumed = refusal(
        prnn("train", *OWN, *log_of(trained), "seed=1", "hydra.run.dir=runs/mine", "resume=true")
    )
    assert f"checkpoint/{name}.safetensors belongs to another run" in resumed


@pytest.mark.parametrize("file", ["items.parquet", "features/text.safetensors"])
def test_items_and_vectors_of_other_data_are_refused(
    mine: Path, file: str, prnn: Prnn, workplace: Path
) -> None:
    write_items(workplace, [*WORDS[:-1], "a table"], "red")
    with Path("clicks.csv").open("a") as log:
        log.write("s0,i0,5\n")
    assert prnn("train", *OWN, "hydra.run.dir=runs/later").exit_code == 0
    shutil.copy(Path("runs/later", file), mine / file)
    sentence = refusal(prnn("recommend", "run=runs/mine", "session=[i1]"))
    assert f"{mine / file}" in sentence
    assert "add resume=true to its command, which writes it again" in sentence


def test_ranks_of_another_run_make_no_row(mine: Path, prnn: Prnn) -> None:
    shutil.copy("runs/other/ranks.parquet", mine / "ranks.parquet")
    result = prnn("tables", "runs=runs", "table.figures=false", "hydra.run.dir=tables")
    assert "runs/mine: ranks.parquet is damaged, or belongs to another run" in result.err


@pytest.mark.parametrize("file", ["model.safetensors", "metrics.json", ".hydra/config.yaml"])
def test_a_file_of_a_run_of_other_epochs_is_refused(mine: Path, file: str, prnn: Prnn) -> None:
    shutil.copy(Path("runs/longer", file), mine / file)
    sentence = refusal(prnn("evaluate", "run=runs/mine"))
    assert re.search("belongs to another run: its epochs are [12], not [12]", sentence)


def test_metrics_that_the_ranks_do_not_give_make_no_row(mine: Path, prnn: Prnn) -> None:
    file = mine / "metrics.json"
    metrics = json.loads(file.read_text())
    metrics["baselines"]["markov"]["recall@20"] += 0.1
    file.write_text(json.dumps(metrics))
    assert (
        "metrics.json is damaged: recall@20 of markov is"
        in prnn("tables", "runs=runs", "table.figures=false").err
    )


def test_a_flipped_bit_in_the_ranks_makes_no_row(mine: Path, prnn: Prnn) -> None:
    content = bytearray((mine / "ranks.parquet").read_bytes())
    content[len(content) // 3] ^= 4
    (mine / "ranks.parquet").write_bytes(content)
    assert "skipped runs/mine: " in prnn("tables", "runs=runs", "table.figures=false").err


def test_a_model_and_its_evaluation_outlive_the_log(
    prnn: Prnn, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prepared data in the cache are enough to evaluate, the run's own folder to recommend."""
    write_log(workplace)
    monkeypatch.setenv("PRNN_CACHE_DIR", "cache")
    assert prnn("train", *OWN, "hydra.run.dir=runs/mine").exit_code == 0
    mine = Path("runs/mine")
    for file in ("clicks.csv", "items.csv"):
        Path(file).unlink()
    assert prnn("evaluate", f"run={mine}", "hydra.run.dir=again").exit_code == 0
    assert ranks("again").equals(ranks(mine))
    shutil.rmtree("cache")
    assert prnn("recommend", f"run={mine}", "session=[i1]").exit_code == 0
    assert "no longer holds the data that the model was trained and tested on" in refusal(
        prnn("evaluate", f"run={mine}")
    )


def test_kept_files_take_no_room_where_the_file_system_links(trained: Path) -> None:
    (cached,) = (trained / "cache/prepared").glob("*/items.parquet")
    assert (trained / "runs/mine/items.parquet").samefile(cached)
