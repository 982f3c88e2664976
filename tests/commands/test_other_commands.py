import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from safetensors.torch import load_file, save_file

from commands.conftest import SMALL, Result

Prnn = Callable[..., Result]
DATASET = SMALL[:4]


def test_preprocess_writes_the_contracts_files_and_table_1(prnn: Prnn) -> None:
    result = prnn("preprocess", *DATASET, "hydra.run.dir=runs/data")
    assert result.exit_code == 0
    folder = Path("runs/data")
    events = pd.read_parquet(folder / "events.parquet")
    items = pd.read_parquet(folder / "items.parquet")
    summary = json.loads((folder / "summary.json").read_text())
    assert list(events) == ["session_id", "session_index", "item_index", "time", "part"]
    assert list(items) == ["item_index", "item_id", "support"]
    for part in ("train", "test"):
        rows = events[events["part"] == part]
        assert summary[part] == {"sessions": rows["session_index"].nunique(), "events": len(rows)}
    assert summary["items"] == len(items)
    assert summary["rows"] == len(events) + sum(summary["dropped"].values())
    assert (folder / "table1.md").read_text().startswith("| Data | train sessions |")
    assert r"\toprule" in (folder / "table1.tex").read_text()
    assert pd.read_csv(folder / "table1.csv").loc[0, "train events"] == summary["train"]["events"]
    assert "dropped: items too rare" in result.out


def test_evaluate_repeats_the_runs_metrics_and_takes_other_settings(prnn: Prnn) -> None:
    assert prnn("train", *SMALL, "hydra.run.dir=runs/mine").exit_code == 0
    trained = json.loads(Path("runs/mine/metrics.json").read_text())

    assert prnn("evaluate", "run=runs/mine", "hydra.run.dir=again").exit_code == 0
    again = json.loads(Path("again/metrics.json").read_text())
    assert {key: again[key] for key in ("recall@20", "mrr@20", "baselines")} == {
        key: trained[key] for key in ("recall@20", "mrr@20", "baselines")
    }

    other = ["evaluation.cutoffs=[1,5]", "evaluation.candidates=10", "evaluation.tie_break=standard"]
    result = prnn("evaluate", "run=runs/mine", *other, "hydra.run.dir=other")
    assert result.exit_code == 0
    metrics = json.loads(Path("other/metrics.json").read_text())
    assert (metrics["candidates"], metrics["tie_break"]) == (10, "standard")
    assert metrics["recall@1"] == metrics["mrr@1"] <= metrics["recall@5"]
    assert metrics["recall@20"] == 1  # measured whatever is asked for: 20 of 10 candidates
    assert "recall@20" not in Path("other/results.md").read_text()
    assert json.loads(Path("runs/mine/metrics.json").read_text()) == trained


def test_evaluate_writes_into_the_runs_folder_by_default(prnn: Prnn) -> None:
    prnn("train", *SMALL, "hydra.run.dir=runs/mine")
    prnn("evaluate", "run=runs/mine")
    (folder,) = Path("runs/mine").glob("evaluation_*")
    assert (folder / "metrics.json").is_file()


def test_evaluate_finds_a_log_whose_path_was_relative_from_elsewhere(
    prnn: Prnn, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(f"s{s}", f"i{(s + n) % 7}", 8640 * s + n) for s in range(60) for n in range(4)]
    pd.DataFrame(rows, columns=["session_id", "item_id", "time"]).to_csv("clicks.csv", index=False)
    own = [*SMALL[4:], "dataset=generic", "dataset.path=clicks.csv", "hydra.run.dir=runs/mine"]
    assert prnn("train", *own).exit_code == 0
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert prnn("evaluate", "run=../runs/mine").exit_code == 0


def test_evaluate_refuses_what_prnn_train_did_not_leave(prnn: Prnn) -> None:
    prnn("preprocess", *DATASET, "hydra.run.dir=runs/data")
    result = prnn("evaluate", "run=runs/data")
    assert result.exit_code == 2
    assert "is the folder of prnn preprocess" in result.err
    assert not list(Path("runs/data").glob("evaluation*"))


def test_a_second_preprocess_does_not_overwrite_the_first(prnn: Prnn) -> None:
    prnn("preprocess", *DATASET, "hydra.run.dir=runs/data")
    result = prnn("preprocess", *DATASET, "hydra.run.dir=runs/data")
    assert result.exit_code == 2
    assert "holds what prnn preprocess left; choose another hydra.run.dir" in result.err


def test_evaluate_refuses_a_log_that_has_changed(prnn: Prnn, tmp_path: Path) -> None:
    log = tmp_path / "clicks.csv"
    rows = [(f"s{s}", f"i{(s + n) % 7}", 86400 * s // 10 + n) for s in range(60) for n in range(4)]
    pd.DataFrame(rows, columns=["session_id", "item_id", "time"]).to_csv(log, index=False)
    own = [*SMALL[4:], "dataset=generic", f"dataset.path={log}", "hydra.run.dir=runs/mine"]
    assert prnn("train", *own).exit_code == 0
    log.write_text(log.read_text() + "s0,i0,5\n")
    result = prnn("evaluate", "run=runs/mine")
    assert result.exit_code == 2
    assert "have changed since it was trained" in result.err


def test_evaluate_names_a_damaged_model(prnn: Prnn) -> None:
    prnn("train", *SMALL, "hydra.run.dir=runs/mine")
    model = Path("runs/mine/model.safetensors")
    model.write_bytes(model.read_bytes()[:-50])
    result = prnn("evaluate", "run=runs/mine")
    assert result.exit_code == 2
    assert "model.safetensors is not a readable model" in result.err


@pytest.mark.parametrize("command", [["evaluate"], ["recommend", "session=[i1]"]])
def test_a_model_and_metrics_of_another_format_are_refused(prnn: Prnn, command: list[str]) -> None:
    prnn("train", *SMALL, "hydra.run.dir=runs/mine")
    model, metrics = Path("runs/mine/model.safetensors"), Path("runs/mine/metrics.json")
    save_file(load_file(model), model, {"format": "2"})
    refused = prnn(*command, "run=runs/mine", "hydra.run.dir=first")
    assert refused.exit_code == 2
    assert (
        "model.safetensors is a model of format 2, and this prnn reads format 1; use it with" in refused.err
    )
    metrics.write_text(json.dumps(json.loads(metrics.read_text()) | {"format": 3}))
    refused = prnn(*command, "run=runs/mine", "hydra.run.dir=second")
    assert refused.exit_code == 2
    assert "metrics.json is a result of format 3, and this prnn reads format 2; read it with" in refused.err


@pytest.mark.parametrize("command", ["evaluate", "status"])
def test_a_folder_that_is_no_run_is_named_and_not_created(prnn: Prnn, command: str) -> None:
    missing = prnn(command, "run=runs/nope")
    assert missing.exit_code == 2
    assert "run=runs/nope is not the folder of a run (there is no such folder)" in missing.err
    assert not Path("runs").exists()
    Path("empty").mkdir()
    empty = prnn(command, "run=empty")
    assert empty.exit_code == 2
    assert "holds no status.json" in empty.err


def test_evaluate_refuses_a_run_that_is_not_finished(prnn: Prnn) -> None:
    diverging = ["recipe.activation=linear", "recipe.learning_rate=1e38"]
    prnn("train", *SMALL, *diverging, "hydra.run.dir=runs/mine")
    result = prnn("evaluate", "run=runs/mine")
    assert result.exit_code == 2
    assert "runs/mine is not finished (status: failed)" in result.err


def test_preprocess_explains_what_it_read(prnn: Prnn) -> None:
    rows = [(f"s{s}", f"i{(s + n) % 7}", 8640 * s + n, "x") for s in range(60) for n in range(4)]
    frame = pd.DataFrame(rows, columns=["visit", "sku", "at", "agent"])
    Path("logs").mkdir()
    for day in range(8):
        frame.iloc[day::8].to_csv(f"logs/{day}.csv", index=False)
    columns = "dataset.columns={session_id: visit, item_id: sku, time: at, order: null}"
    result = prnn("preprocess", "dataset=generic", "dataset.path=logs", columns, "hydra.run.dir=out")
    assert result.exit_code == 0
    text = Path("out/explanation.md").read_text()
    for line in (
        "| logs/0.csv | 30 |",
        "| 3 more files | 90 |",
        "| 8 files | 240 |",
        "| session | visit |  |",
        "| time | at | 1970-01-01 00:00:00 to 1970-01-06 21:36:03 UTC |",
        "| not used | agent |  |",
        "| s0 | train | 1970-01-01 00:00:00 | i0 i1 i2 i3 |",
        "| s59 | test | 1970-01-06 21:36:00 | i3 i4 i5 i6 |",
        "| rows read | 240 |",
        "| events kept | 240 |",
    ):
        assert line in text
    assert text.count("| train |") + text.count("| test |") == 5
