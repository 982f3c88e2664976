import csv
import json
import os
import re
import resource
import signal
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from commands.conftest import SMALL, Result, wait_for

RUN = "hydra.run.dir=runs/mine"
Prnn = Callable[..., Result]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, made once for the tests that only look at it."""
    from prnn_cli.cli import main

    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PRNN_CACHE_DIR", str(folder / "cache"))
        assert main(["train", *SMALL, "label=mine", RUN]) == 0
    return folder / "runs" / "mine"


def test_a_run_leaves_what_the_contract_names(finished: Path) -> None:
    names = {path.name for path in finished.iterdir()}
    assert names == {
        ".hydra",
        "train.log",
        "epochs.csv",
        "model.safetensors",
        "checkpoint",
        "status.json",
        "metrics.json",
        "results.md",
        "results.csv",
        "ranks.parquet",
        "items.parquet",
    }
    assert {path.name for path in (finished / ".hydra").iterdir()} == {
        "config.yaml",
        "hydra.yaml",
        "overrides.yaml",
    }


def test_metrics_hold_the_run_and_the_baselines(finished: Path) -> None:
    metrics = json.loads((finished / "metrics.json").read_text())
    described = {
        "status": "done",
        "label": "mine",
        "dataset": "synthetic",
        "features": "none",
        "arch": "id_only",
        "strategy": "simultaneous",
        "row": None,
        "experiment": None,
        "seed": 42,
        "hidden_size": "12",
        "candidates": "all",
        "tie_break": "conservative",
        "device": "cpu",
    }
    assert {key: metrics[key] for key in described} == described
    assert metrics["baselines"].keys() == {"item_knn", "markov", "popularity"}
    for method in (metrics, *metrics["baselines"].values()):
        assert 0 <= method["mrr@20"] <= method["recall@20"] <= 1
        assert 0 <= method["tie_rate"] <= 1
    item_knn = metrics["baselines"]["item_knn"]
    for key in ("recall@20", "mrr@20"):
        assert metrics["gain"][key] == pytest.approx(metrics[key] / item_knn[key] - 1)
    speed = {"events", "steps", "seconds", "events_per_s", "steps_per_s"}
    assert metrics["train"].keys() == speed | {"epochs", "updates", "executor", "processes"}
    assert metrics["versions"]["torch"] == torch.__version__


def test_the_model_has_the_counted_parameters(finished: Path) -> None:
    metrics = json.loads((finished / "metrics.json").read_text())
    model = load_file(finished / "model.safetensors")
    assert sum(value.numel() for value in model.values()) == metrics["num_parameters"]
    num_items, hidden = len(model["readout.id"]), 12
    in_and_out, recurrent = num_items * (3 * hidden + hidden + 1), 3 * hidden * (hidden + 1)
    assert metrics["num_parameters"] == in_and_out + recurrent


def test_epochs_are_recorded(finished: Path) -> None:
    with (finished / "epochs.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == [
        "phase",
        "epoch",
        "learning",
        "loss",
        "saturated",
        "events",
        "seconds",
        "events_per_s",
    ]
    assert [(row["phase"], row["epoch"], row["learning"]) for row in rows] == [
        ("1", "1", "id"),
        ("1", "2", "id"),
    ]
    assert float(rows[1]["loss"]) < float(rows[0]["loss"])


def test_ranks_give_the_metrics_back(finished: Path) -> None:
    metrics = json.loads((finished / "metrics.json").read_text())
    ranks = pd.read_parquet(finished / "ranks.parquet")
    assert len(ranks) == metrics["num_test_events"]
    assert (ranks["rank_network"] <= 20).mean() == pytest.approx(metrics["recall@20"])
    item_knn = ranks["rank_item_knn"]
    assert (1 / item_knn).where(item_knn <= 20, 0).mean() == pytest.approx(
        metrics["baselines"]["item_knn"]["mrr@20"]
    )


def test_the_table_shows_gains_over_item_knn(finished: Path) -> None:
    table = (finished / "results.md").read_text()
    lines = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("|")]
    assert lines == ["Method", "---", "Item-kNN", "Markov", "Popularity", "mine"]
    assert re.search(r"\| mine \| 0\.\d{4} \([+−]\d+\.\d\d%\) \|", table)
    rows = pd.read_csv(finished / "results.csv")
    assert rows["method"].tolist() == ["network", "item_knn", "markov", "popularity"]


def test_the_table_is_printed_with_the_path(prnn: Prnn, finished: Path) -> None:
    result = prnn("train", *SMALL, "label=mine", f"hydra.run.dir={finished}", "resume=true")
    assert result.exit_code == 0
    assert "Item-kNN" in result.out
    assert f"written to {finished}" in result.out


def test_the_same_seed_gives_the_same_bits_and_another_one_others(prnn: Prnn, finished: Path) -> None:
    folders = [finished, Path("runs/again"), Path("runs/other")]
    for folder, seed in zip(folders[1:], (42, 2), strict=True):
        assert prnn("train", *SMALL, f"seed={seed}", f"hydra.run.dir={folder}").exit_code == 0
    a, b, c = (load_file(folder / "model.safetensors") for folder in folders)
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not torch.equal(a["readout.id"], c["readout.id"])
    metrics = [json.loads((folder / "metrics.json").read_text()) for folder in folders[:2]]
    assert metrics[0]["recall@20"] == metrics[1]["recall@20"]


def test_a_taken_folder_is_refused_and_left_as_it_was(prnn: Prnn, finished: Path) -> None:
    before = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()}
    result = prnn("train", *SMALL, f"hydra.run.dir={finished}")
    assert result.exit_code == 2
    assert "is not empty; add resume=true" in result.err
    assert {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()} == before


def test_a_finished_run_prints_its_result_again_without_training(prnn: Prnn, finished: Path) -> None:
    before = (finished / "metrics.json").read_bytes()
    result = prnn("train", *SMALL, "label=mine", f"hydra.run.dir={finished}", "resume=true")
    assert result.exit_code == 0
    assert "this run is finished" in result.err
    assert (finished / "metrics.json").read_bytes() == before


def test_resuming_with_another_configuration_names_the_difference(prnn: Prnn, finished: Path) -> None:
    result = prnn("train", *SMALL, "label=mine", "seed=7", f"hydra.run.dir={finished}", "resume=true")
    assert result.exit_code == 2
    assert "seed was 42 and is now 7" in result.err


LONG = [*SMALL, "epochs=15"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run long enough to be stopped, which was not."""
    from prnn_cli.cli import main

    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRNN_CACHE_DIR", str(folder / "cache"))
        assert main(["train", *LONG, f"hydra.run.dir={folder}/run"]) == 0
    return folder / "run"


@pytest.mark.parametrize(
    ("number", "exit_code"),
    [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.nightly)],
)
def test_a_stopped_run_resumes_to_the_same_bits(
    prnn: Prnn, start_prnn: Callable[..., object], whole: Path, number: signal.Signals, exit_code: int
) -> None:
    """The signal is honoured at the end of a tick; what was trained until then is in the checkpoint."""
    process = start_prnn("train", *LONG, RUN, "checkpoint.every_s=0")
    wait_for(Path("runs/mine/checkpoint/state.safetensors").is_file, process)
    process.send_signal(number)
    time.sleep(0.02)
    process.send_signal(number)  # as a scheduler does, to the process and to its group
    _, err = process.communicate(timeout=60)
    assert process.returncode == exit_code
    assert "resume=true" in err.splitlines()[-1]
    assert "Traceback" not in err
    assert status_of("runs/mine")["status"] == "failed"
    assert Path("runs/mine/checkpoint/state.safetensors").is_file()
    assert not Path("runs/mine/metrics.json").exists()

    resumed = prnn("train", *LONG, RUN, "resume=true")
    assert resumed.exit_code == 0
    assert "resuming at phase 1, epoch" in resumed.err
    mine, unstopped = (load_file(run / "model.safetensors") for run in (Path("runs/mine"), whole))
    assert all(torch.equal(mine[name], unstopped[name]) for name in unstopped)
    assert [row.split(",")[:5] for row in Path("runs/mine/epochs.csv").read_text().splitlines()] == [
        row.split(",")[:5] for row in (whole / "epochs.csv").read_text().splitlines()
    ]


@pytest.mark.nightly
def test_a_killed_run_is_dead_and_resumes_from_its_last_checkpoint(
    prnn: Prnn, start_prnn: Callable[..., object]
) -> None:
    """By day some are killed in tests/faults, and test_status.py has a dead one."""
    long = [*LONG, "checkpoint.every_s=0"]
    process = start_prnn("train", *long, RUN)
    wait_for(Path("runs/mine/checkpoint/state.safetensors").is_file, process)
    process.kill()
    process.communicate()
    assert prnn("status", "run=runs/mine").out.splitlines()[0] == "runs/mine: dead (prnn train)"
    assert prnn("train", *long, RUN, "resume=true").exit_code == 0
    assert prnn("status", "run=runs/mine").out.splitlines()[0] == "runs/mine: done (prnn train)"


def test_a_run_does_not_go_on_with_other_data(prnn: Prnn, tmp_path: Path) -> None:
    log = tmp_path / "clicks.csv"
    rows = [f"s{s},i{(s + n) % 7},{8640 * s + n}" for s in range(60) for n in range(4)]
    log.write_text("\n".join(["session_id,item_id,time", *rows]))
    own = [*SMALL[4:], "dataset=generic", f"dataset.path={log}", RUN]
    assert prnn("train", *own).exit_code == 0
    Path("runs/mine/metrics.json").unlink()
    log.write_text(log.read_text().replace("i1,", "other,"))
    result = prnn("train", *own, "resume=true")
    assert result.exit_code == 2
    assert "the data have changed since" in result.err


def test_a_console_without_unicode_does_not_end_a_finished_run(
    prnn: Prnn, start_prnn: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    process = start_prnn("train", *SMALL, "epochs=1", RUN)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "Item-kNN" in out


def test_a_folder_that_holds_something_else_is_not_resumed(prnn: Prnn) -> None:
    Path("alien").mkdir()
    Path("alien/thesis.txt").write_text("mine")
    result = prnn("train", *SMALL, "hydra.run.dir=alien", "resume=true")
    assert result.exit_code == 2
    assert "holds files but no run of prnn" in result.err
    assert [path.name for path in Path("alien").iterdir()] == ["thesis.txt"]


PAIRS = list(
    product(
        ("parallel", "shared_w", "interaction"), ("simultaneous", "alternating", "residual", "interleaving")
    )
)


@pytest.mark.parametrize(
    ("arch", "strategy"),
    [pytest.param(*pair, marks=[] if i % 5 == 0 else pytest.mark.nightly) for i, pair in enumerate(PAIRS)],
)
def test_every_parallel_network_runs_with_every_strategy(prnn: Prnn, arch: str, strategy: str) -> None:
    own = [argument for argument in SMALL if not argument.startswith(("arch", "subnets", "epochs"))]
    sizes = ["subnets.id.hidden_size=6", "subnets.text.hidden_size=6", "epochs=1"]
    assert prnn("train", *own, *sizes, f"arch={arch}", f"strategy={strategy}", RUN).exit_code == 0
    metrics = json.loads(Path("runs/mine/metrics.json").read_text())
    described = {"arch": arch, "strategy": strategy, "features": "text", "hidden_size": "6+6"}
    assert {key: metrics[key] for key in described} == described
    assert prnn("evaluate", "run=runs/mine", "hydra.run.dir=again").exit_code == 0
    assert json.loads(Path("again/metrics.json").read_text())["mrr@20"] == metrics["mrr@20"]


@pytest.mark.nightly
def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(
    prnn: Prnn, start_prnn: Callable[..., object]
) -> None:
    """No file may grow beyond 8 KB, so the first checkpoint cannot be written; tests/faults fills disks by day."""

    def limit_file_size() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

    assert prnn("preprocess", *SMALL[:4]).exit_code == 0  # the cache is there
    process = start_prnn("train", *SMALL, RUN, preexec_fn=limit_file_size)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.splitlines()[-1].startswith("prnn: cannot write")
    assert "state.safetensors" in err.splitlines()[-1]
    assert "Traceback" not in err
    assert list(Path("runs/mine/checkpoint").iterdir()) == []
    assert prnn("train", *SMALL, RUN, "resume=true").exit_code == 0


def test_a_diverging_run_fails_with_what_to_change(prnn: Prnn) -> None:
    result = prnn("train", *SMALL, RUN, "recipe.activation=linear", "recipe.learning_rate=1e38")
    assert result.exit_code == 1
    assert "the loss is not finite since step" in result.err
    assert "lower subnets.id.learning_rate" in result.err
    assert prnn("status", "run=runs/mine").out.splitlines()[0] == "runs/mine: failed (prnn train)"


def test_a_sweep_has_a_folder_for_each_job_and_one_table(prnn: Prnn) -> None:
    result = prnn("train", "-m", *SMALL, "seed=1,2", "table.figures=false", "hydra.sweep.dir=runs/sweep")
    assert result.exit_code == 0
    assert {path.name for path in Path("runs/sweep").iterdir()} == {
        "0",
        "1",
        "multirun.yaml",
        "table.md",
        "table.csv",
        "table.tex",
        "intervals.tex",
        "slices.csv",
        "slices.tex",
        "summary.html",
        "table1.md",
        "table1.csv",
        "table1.tex",
    }
    first = Path("runs/sweep/table.md").read_text().split("## ")[1]
    methods = [line.split("|")[1].strip() for line in first.splitlines() if line.startswith("|")]
    assert methods == ["Method", "---", "Item-kNN", "Markov", "Popularity", "seed=1", "seed=2"]


@pytest.mark.nightly
def test_a_sweep_over_all_strategies(prnn: Prnn) -> None:
    """By day the rows of experiment=smoke are a sweep over them."""
    own = [argument for argument in SMALL if not argument.startswith(("arch", "epochs"))]
    sweep = [
        "epochs=1",
        "arch=parallel",
        "strategy=glob(*)",
        "table.figures=false",
        "hydra.sweep.dir=runs/sweep",
    ]
    assert prnn("train", "-m", *own, *sweep).exit_code == 0
    table = Path("runs/sweep/table.md").read_text()
    for strategy in ("simultaneous", "alternating", "residual", "interleaving"):
        assert f"| strategy={strategy} |" in table


def test_the_second_run_reuses_the_prepared_data(prnn: Prnn) -> None:
    prnn("preprocess", *SMALL[:4])
    assert "reusing prepared data in" in prnn("train", *SMALL).err


def test_the_validation_part_can_be_ranked_instead(prnn: Prnn) -> None:
    arguments = [*SMALL, "dataset.validation_days=1", "evaluation.part=validation", RUN]
    assert prnn("train", *arguments).exit_code == 0
    metrics = json.loads(Path("runs/mine/metrics.json").read_text())
    events = pd.read_parquet(
        next(Path(os.environ["PRNN_CACHE_DIR"]).glob(f"prepared/{metrics['data_hash']}/events*"))
    )
    validation = events[events["part"] == "validation"]
    assert metrics["num_test_events"] == len(validation) - validation["session_index"].nunique()


def test_item_vectors_that_learn_are_in_the_model(prnn: Prnn) -> None:
    own = [argument for argument in SMALL if not argument.startswith(("arch", "subnets"))]
    own += ["arch=parallel", "units.each=6", "features=colour_histogram", "epochs=1"]
    assert prnn("train", *own, "subnets.image.fine_tuning_rate=0.01", RUN).exit_code == 0
    model = load_file("runs/mine/model.safetensors")
    vectors = model["subnets.image.input.image.vectors"]
    assert vectors.shape[1] == 320
    assert not torch.allclose(vectors.norm(dim=1), torch.ones(len(vectors)), atol=1e-6)  # they began so


def status_of(folder: str) -> dict[str, object]:
    path = Path(folder) / "status.json"
    return json.loads(path.read_text()) if path.is_file() else {}
