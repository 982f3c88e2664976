"""Experiments whose rows make a table, sweeps that go on after a stop, and prnn tables."""

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from commands.conftest import SMALL, Result, train_in, wait_for

Prnn = Callable[..., Result]
LABELS = ["ID only", "ID only (200)", "Feature only", "Concatenated"] + [
    f"{network} ({strategy})"
    for network in ("Parallel", "Shared-W", "Int. model")
    for strategy in ("sim", "alt", "res", "int")
]
BASELINES = ["Item-kNN", "Markov", "Popularity"]
TINY = [
    "experiment=smoke",
    "hardware=cpu",
    "hardware.threads=1",
    "table.resamples=100",
    "table.figures=false",
]
TWO_ROWS = [*TINY, "row=id_only,parallel_res"]


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> Path:
    """The whole of experiment=smoke, as a user types it, but for figures, which take as long as its trainings."""
    folder = tmp_path_factory.mktemp("smoke")
    quick = ["hardware=cpu", "hardware.threads=1", "table.figures=false"]
    train_in(folder, shared_cache, "experiment=smoke", *quick)
    return folder / "runs" / "smoke"


def copy_rows(smoke: Path, *rows: str) -> None:
    """runs/smoke holds these finished rows, and no table yet."""
    for row in rows:
        shutil.copytree(smoke / f"{row}-seed42", f"runs/smoke/{row}-seed42")


def test_smoke_makes_table_2_in_the_papers_order(smoke: Path) -> None:
    frame = pd.read_csv(smoke / "table.csv")
    assert frame["method"].tolist() == BASELINES + LABELS
    assert (frame["status"] == "done").all()
    for method in frame["method"]:
        assert f"| {method} |" in (smoke / "table.md").read_text()
        assert f"{method} & " in (smoke / "table.tex").read_text()


def test_each_row_lies_in_its_folder_with_its_settings(smoke: Path) -> None:
    metrics = json.loads((smoke / "shared_w_alt-seed42" / "metrics.json").read_text())
    described = {"row": "shared_w_alt", "experiment": "smoke", "label": "Shared-W (alt)", "arch": "shared_w"}
    described |= {
        "strategy": "alternating",
        "features": "colour_histogram",
        "hidden_size": "8+8",
        "candidates": 50000,
    }
    assert {key: metrics[key] for key in described} == described


def test_the_footer_states_the_method(smoke: Path) -> None:
    text = (smoke / "table.md").read_text()
    for stated in (
        "test events",
        "candidates: the 50,000 items",
        "ties: conservative",
        "tie rate",
        "seeds: 42",
    ):
        assert stated in text
    assert "Features: colour_histogram" in text
    assert "paired bootstrap over sessions" in text


def test_a_row_alone_gives_the_same_result_in_the_same_folder(prnn: Prnn, smoke: Path) -> None:
    assert prnn("train", *TINY, "row=parallel_res").exit_code == 0
    alone = json.loads(Path("runs/smoke/parallel_res-seed42/metrics.json").read_text())
    within = json.loads((smoke / "parallel_res-seed42" / "metrics.json").read_text())
    assert {key: alone[key] for key in ("recall@20", "mrr@20", "row", "label")} == {
        key: within[key] for key in ("recall@20", "mrr@20", "row", "label")
    }


def test_tables_makes_the_same_table_of_finished_runs(prnn: Prnn, smoke: Path) -> None:
    result = prnn("tables", f"runs={smoke}", "table.figures=false", "hydra.run.dir=again")
    assert result.exit_code == 0
    assert Path("again/table.md").read_text() == (smoke / "table.md").read_text()
    assert pd.read_csv("again/table.csv").equals(pd.read_csv(smoke / "table.csv"))


def test_tables_shows_parameters_and_speed(prnn: Prnn, smoke: Path) -> None:
    shown = ["table.parameters=true", "table.events_per_s=true", "table.figures=false"]
    assert prnn("tables", f"runs='{smoke}/*'", *shown, "hydra.run.dir=again").exit_code == 0
    header = next(line for line in Path("again/table.md").read_text().splitlines() if line.startswith("|"))
    assert "| parameters | events/s |" in header


@pytest.mark.nightly
def test_all_rows_stand_in_figures(prnn: Prnn, smoke: Path) -> None:
    """By day those of one run (`test_foreign_runs`), and each figure alone."""
    pytest.importorskip("matplotlib")
    assert prnn("tables", f"runs={smoke}", "hydra.run.dir=again").exit_code == 0
    names = {"figure3", "learning_curves", "by_support", "by_position", "architectures"}
    for suffix in (".png", ".pdf"):
        assert {path.stem for path in Path("again").glob(f"*{suffix}")} == names


def resume_second_row(prnn: Prnn, command: list[str]) -> None:
    """Goes on with a sweep of TWO_ROWS, of which the first is finished, and stays as it is."""
    finished = Path("runs/smoke/id_only-seed42/metrics.json")
    before = finished.stat().st_mtime
    assert prnn(*command).exit_code == 2  # only with resume=true
    resumed = prnn(*command, "resume=true")
    assert resumed.exit_code == 0
    assert "resuming at phase" in resumed.err
    assert finished.stat().st_mtime == before


def test_a_sweep_that_was_cut_off_goes_on_by_the_same_command_to_the_same_table(
    prnn: Prnn, cut_off: Callable[..., None], smoke: Path
) -> None:
    """The first row is kept, the second one goes on from its checkpoint: at the end of its first phase."""
    command = ["train", *TWO_ROWS]
    cut_off(2, *command, "checkpoint.every_s=0")  # the second row's first tick
    resume_second_row(prnn, command)
    for row in ("id_only", "parallel_res"):
        shutil.copytree(smoke / f"{row}-seed42", f"runs/whole/{row}-seed42")
    assert prnn(*command, "resume=true", "hydra.sweep.dir=runs/whole").exit_code == 0
    assert Path("runs/smoke/table.md").read_text() == Path("runs/whole/table.md").read_text()


@pytest.mark.nightly
def test_a_killed_sweep_goes_on_by_the_same_command_to_the_same_table(
    prnn: Prnn, start_prnn: Callable[..., object]
) -> None:
    """The first row is kept, the second one goes on from its checkpoint."""
    command = ["train", *TWO_ROWS, "epochs=4", "checkpoint.every_s=0"]
    process = start_prnn(*command)
    checkpoint = Path("runs/smoke/parallel_res-seed42/checkpoint/state.safetensors")
    wait_for(checkpoint.is_file, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    resume_second_row(prnn, command)
    assert prnn(*command, "hydra.sweep.dir=runs/whole").exit_code == 0
    assert Path("runs/smoke/table.md").read_text() == Path("runs/whole/table.md").read_text()


def test_a_row_that_fails_stands_in_the_table_with_its_reason(prnn: Prnn) -> None:
    diverging = ["recipe.activation=linear", "subnets.image.learning_rate=1e38"]  # the image's subnet alone
    result = prnn("train", *TWO_ROWS, *diverging)
    assert result.exit_code == 1
    table = Path("runs/smoke/table.md").read_text()
    assert "| ID only | 0." in table
    assert "| Parallel (res) | failed |" in table
    assert "Failed: Parallel (res): the loss is not finite since step" in table
    assert "Failed: Parallel (res): the loss is not finite" in table
    frame = pd.read_csv("runs/smoke/table.csv").set_index("method")
    assert frame.loc["Parallel (res)", "status"] == "failed"
    assert "lower subnets.image.learning_rate" in frame.loc["Parallel (res)", "reason"]


def test_a_finished_row_that_was_damaged_since_stands_in_the_table_as_such(prnn: Prnn, smoke: Path) -> None:
    copy_rows(smoke, "id_only", "parallel_res")
    Path("runs/smoke/id_only-seed42/ranks.parquet").write_text("no parquet")
    assert prnn("train", *TWO_ROWS, "resume=true").exit_code == 0
    table = Path("runs/smoke/table.md").read_text()
    assert "| ID only | failed |" in table
    assert "Failed: ID only: " in table
    assert "ranks.parquet cannot be read" in table
    assert "| Parallel (res) | 0." in table


def test_seeds_repeat_each_row_and_share_its_line(prnn: Prnn, smoke: Path) -> None:
    """The seeds follow the run's own, so that one that is finished counts."""
    copy_rows(smoke, "id_only", "parallel_res")
    kept = Path("runs/smoke/id_only-seed42/metrics.json").stat().st_mtime
    assert prnn("train", *TWO_ROWS, "seeds=2", "resume=true").exit_code == 0
    folders = {path.name for path in Path("runs/smoke").iterdir() if path.is_dir()}
    assert folders == {f"{row}-seed{seed}" for row in ("id_only", "parallel_res") for seed in (42, 43)}
    assert Path("runs/smoke/id_only-seed42/metrics.json").stat().st_mtime == kept
    row = pd.read_csv("runs/smoke/table.csv").set_index("method").loc["ID only"]
    values = [
        json.loads(Path(f"runs/smoke/id_only-seed{seed}/metrics.json").read_text())["mrr@20"]
        for seed in (42, 43)
    ]
    assert row["mrr@20"] == pytest.approx(sum(values) / 2)
    assert row["mrr@20_std"] == pytest.approx(abs(values[0] - values[1]) / 2**0.5)
    assert f"{sum(values) / 2:.4f} ± " in Path("runs/smoke/table.md").read_text()


def test_the_table_keeps_the_rows_that_were_run_before(prnn: Prnn, smoke: Path) -> None:
    copy_rows(smoke, "parallel_res")
    assert prnn("train", *TINY, "row=id_only").exit_code == 0
    assert pd.read_csv("runs/smoke/table.csv")["method"].tolist() == [*BASELINES, "ID only", "Parallel (res)"]


def test_seeds_make_a_sweep_of_any_run(prnn: Prnn) -> None:
    assert (
        prnn(
            "train", *SMALL, "epochs=1", "seeds=2", "table.figures=false", "hydra.sweep.dir=runs/mine"
        ).exit_code
        == 0
    )
    frame = pd.read_csv("runs/mine/table.csv").set_index("method")
    assert frame.loc["id_only", "seeds"] == "42 43"


def test_tables_refuses_a_pattern_without_runs(prnn: Prnn) -> None:
    result = prnn("tables", "runs=nothing*")
    assert result.exit_code == 2
    assert "runs=nothing* matches no folder of a run" in result.err
    assert not list(Path("runs").glob("*"))


def test_runs_of_other_commands_are_passed_over_and_unused_features_make_no_row(prnn: Prnn) -> None:
    """Two seeds of an ID-only network, told to use features that it ignores or not: one line."""
    prnn("preprocess", *SMALL[:4], "hydra.run.dir=runs/data")
    for seed, features in ((1, "text"), (2, "none")):
        own = [*SMALL, "epochs=1", f"seed={seed}", f"features={features}", f"hydra.run.dir=runs/{seed}"]
        assert prnn("train", *own).exit_code == 0
    result = prnn("tables", "runs=runs", "table.figures=false", "hydra.run.dir=runs/tables")
    assert result.exit_code == 0
    assert "skipped" not in result.err
    row = next(line for line in Path("runs/tables/table.md").read_text().splitlines() if "id_only" in line)
    assert "±" in row  # the mean of both
