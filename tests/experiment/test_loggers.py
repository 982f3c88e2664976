"""Loggers against the real libraries, with local storage."""

from collections.abc import Callable
from pathlib import Path

import pytest

from commands.conftest import SMALL, Result
from prnn_cli.experiment.loggers import TensorBoard
from prnn_cli.run_folder import read_json

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]
RUN = ["train", *SMALL, "hydra.run.dir=runs/mine", "dataset.validation_days=1"]


def test_tensorboard_gets_parameters_epochs_and_results(prnn: Prnn) -> None:
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    result = prnn(*RUN, "logger=tensorboard")
    assert result.exit_code == 0, result.err
    events = accumulators.EventAccumulator("runs/mine/tensorboard").Reload()
    assert [each.step for each in events.Scalars("loss")] == [1, 2]
    assert [each.step for each in events.Scalars("validation mrr@20")] == [1, 2]
    metrics = read_json(Path("runs/mine/metrics.json"))
    assert events.Scalars("mrr@20")[0].value == pytest.approx(metrics["mrr@20"])
    assert "results.md/text_summary" in events.Tags()["tensors"]
    assert "_hparams_/session_start_info" in events.summary_metadata


def test_mlflow_gets_parameters_epochs_and_artefacts(prnn: Prnn) -> None:
    mlflow = pytest.importorskip("mlflow")
    result = prnn(*RUN, "logger=mlflow", "logger.uri=sqlite:///store.db")
    assert result.exit_code == 0, result.err
    client = mlflow.MlflowClient("sqlite:///store.db")
    run = client.get_run(Path("runs/mine/mlflow_run.txt").read_text().strip())
    assert run.info.status == "FINISHED"
    assert run.data.params["recipe.batch_size"] == "16"
    assert [each.step for each in client.get_metric_history(run.info.run_id, "validation mrr_at_20")] == [
        1,
        2,
    ]
    metrics = read_json(Path("runs/mine/metrics.json"))
    assert run.data.metrics["mrr_at_20"] == metrics["mrr@20"]
    assert run.data.metrics["item_knn recall_at_20"] == metrics["baselines"]["item_knn"]["recall@20"]
    kept = {each.path for each in client.list_artifacts(run.info.run_id)}
    assert {"metrics.json", "model.safetensors", "config.yaml"} <= kept


def test_a_failed_run_is_a_failed_run_in_mlflow(prnn: Prnn) -> None:
    mlflow = pytest.importorskip("mlflow")
    broken = ["subnets.id.learning_rate=1e38", "recipe.activation=linear"]
    assert prnn(*RUN, *broken, "logger=mlflow", "logger.uri=sqlite:///store.db").exit_code == 1
    run = Path("runs/mine/mlflow_run.txt").read_text().strip()
    assert mlflow.MlflowClient("sqlite:///store.db").get_run(run).info.status == "FAILED"


def test_a_store_that_does_not_answer_is_a_sentence(prnn: Prnn) -> None:
    pytest.importorskip("mlflow")
    result = prnn(*RUN, "logger=mlflow", "logger.uri=http://127.0.0.1:9")
    assert result.exit_code == 2
    assert "logger.uri=http://127.0.0.1:9 cannot be used" in result.err


def test_a_run_goes_on_without_a_logger_that_fails_later(prnn: Prnn, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tensorboard")

    def fail(*arguments: object) -> None:
        raise ConnectionError("the server is gone")

    monkeypatch.setattr(TensorBoard, "log", fail)
    result = prnn(*RUN, "logger=tensorboard")
    assert result.exit_code == 0
    assert result.err.count("logger=tensorboard fails (the server is gone); the run goes on without it") == 1
    assert read_json(Path("runs/mine/status.json"))["status"] == "done"


@pytest.mark.parametrize("logger", ["tensorboard", "mlflow"])
def test_without_the_extra_the_line_to_type_is_told(
    prnn: Prnn, monkeypatch: pytest.MonkeyPatch, logger: str
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = prnn(*RUN, f"logger={logger}")
    assert result.exit_code == 2
    assert result.err.endswith(f"type: pip install 'prnn-cli[{logger}]'\n")
