"""logger=tensorboard and logger=mlflow: a run's parameters, the metrics of each epoch, and what it leaves."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from prnn_cli.errors import Pruned, UserError, first_line
from prnn_cli.experiment.supervisor import EpochObserver
from prnn_cli.run_folder import CONFIG, RunFolder, flat
from prnn_cli.schema import LoggerConfig, TrainCommand
from prnn_cli.system.extras import require
from prnn_cli.system.files import write_text
from prnn_cli.training.state import EpochRecord

log = logging.getLogger(__name__)

TABLES = ("metrics.json", "results.md", "results.csv", "ranks.parquet", "epochs.csv")
ARTEFACTS = (*TABLES, "model.safetensors", str(CONFIG))
EPOCH_VALUES = ("loss", "saturated", "events_per_s")


class Logger(Protocol):
    """A store that a run is logged to; its calls may raise whatever the store's library does."""

    def log(self, values: Mapping[str, float], epoch: int | None = None) -> None:
        """Stores metrics of an epoch (from 1, over all phases); without one, those of the finished run."""

    def keep(self, files: list[Path]) -> None:
        """Stores what the run leaves."""

    def close(self, status: str) -> None:
        """Ends the record of the run. status: done, pruned or failed"""


@contextmanager
def logger_observers(settings: TrainCommand, folder: RunFolder) -> Iterator[list[EpochObserver]]:
    """Opens the logger, yields an observer that logs each epoch to it, and at the end logs what the run left.

    Raises `UserError` where the logger cannot be opened. Later a failure of the logger does not end the run: it is
    warned of once, and the run goes on without.
    """
    if settings.logger is None:
        yield []
        return
    name = settings.logger.name
    require(f"logger={name}")
    parameters = {key: str(value) for key, value in flat(folder.config()).items()}
    logger = LOGGERS[name](settings.logger, folder, parameters)
    works = True

    def attempt(call: Callable[[], None]) -> None:
        nonlocal works
        try:
            if works:
                call()
        except Exception as error:  # of any library, and of what lies between it and its store
            works = False
            log.warning("logger=%s fails (%s); the run goes on without it", name, first_line(error))

    def log_epoch(number: int, record: EpochRecord, validated: dict[str, float]) -> None:
        values = {key: value for key, value in asdict(record).items() if key in EPOCH_VALUES}
        values |= {f"validation {key}": value for key, value in validated.items()}
        attempt(lambda: logger.log(values, number))

    status = "failed"
    try:
        yield [log_epoch]
        attempt(lambda: logger.log(_flat_metrics(folder.metrics())))
        attempt(lambda: logger.keep([folder.path / name for name in ARTEFACTS]))
        status = "done"
    except Pruned:
        status = "pruned"
        raise
    finally:
        attempt(lambda: logger.close(status))


class TensorBoard:
    """Logs to event files in `tensorboard/` of the run's folder, with the files that hold text as text."""

    def __init__(self, config: LoggerConfig, folder: RunFolder, parameters: dict[str, str]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(str(folder.path / "tensorboard"))
        self._parameters = parameters

    def log(self, values: Mapping[str, float], epoch: int | None = None) -> None:
        if epoch is None:
            self._writer.add_hparams(self._parameters, dict(values), run_name=".")
            return
        for key, value in values.items():
            self._writer.add_scalar(key, value, epoch)

    def keep(self, files: list[Path]) -> None:
        for file in files:
            if file.suffix in (".md", ".yaml", ".json"):
                text = file.read_text(encoding="utf-8")
                self._writer.add_text(file.name, text if file.suffix == ".md" else f"```\n{text}\n```")

    def close(self, status: str) -> None:
        self._writer.close()


class Mlflow:
    """Logs to a run of a tracking store, whose id stands in the run's folder, so that resume=true goes on in it.

    MLflow allows no @ in names: recall@20 is called recall_at_20.
    """

    def __init__(self, config: LoggerConfig, folder: RunFolder, parameters: dict[str, str]) -> None:
        # By default it tries for minutes, so that a mistyped address would look like a run that hangs.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        known = folder.path / "mlflow_run.txt"
        try:
            self._client = MlflowClient(config.uri)
            if known.is_file():
                self._run = known.read_text(encoding="utf-8").strip()
                self._client.update_run(self._run, status="RUNNING")
            else:
                self._run = self._created(str(config.experiment), folder.path.name, parameters)
                write_text(known, self._run + "\n")
        except MlflowException as error:
            raise UserError(
                f"logger.uri={config.uri} cannot be used ({first_line(error)}); give a store that answers, such as "
                "sqlite:///mlflow.db"
            ) from error

    def _created(self, experiment: str, name: str, parameters: dict[str, str]) -> str:
        from mlflow.entities import Param

        known = self._client.get_experiment_by_name(experiment)
        number = known.experiment_id if known else self._client.create_experiment(experiment)
        run = str(self._client.create_run(number, run_name=name).info.run_id)
        items = [Param(key, value) for key, value in parameters.items()]
        for start in range(0, len(items), 100):  # as many as one call takes
            self._client.log_batch(run, params=items[start : start + 100])
        return run

    def log(self, values: Mapping[str, float], epoch: int | None = None) -> None:
        for key, value in values.items():
            self._client.log_metric(self._run, key.replace("@", "_at_"), value, step=epoch)

    def keep(self, files: list[Path]) -> None:
        for file in files:
            self._client.log_artifact(self._run, str(file))

    def close(self, status: str) -> None:
        ended = {"done": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}
        self._client.set_terminated(self._run, ended[status])


LOGGERS: dict[str, type[TensorBoard] | type[Mlflow]] = {"tensorboard": TensorBoard, "mlflow": Mlflow}


def _flat_metrics(metrics: dict[str, Any]) -> dict[str, float]:
    """Metrics of the run and of its baselines by name: {"recall@20": …, "item_knn recall@20": …}."""
    own = {key: value for key, value in metrics.items() if "@" in key or key == "tie_rate"}
    for name, values in metrics["baselines"].items():
        own |= {f"{name} {key}": value for key, value in values.items()}
    return own
