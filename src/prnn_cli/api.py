"""prnn from Python: what the command line composes, prepares, trains and uses, as functions.

config = prnn_cli.compose(["dataset=online_retail", "dataset.path=DIR", "arch=parallel", "features=text"])
run = prnn_cli.train(config)
run.recommend([["22423", "22720"]])
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import hydra
import pandas as pd
from hydra.conf import HydraConf
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from prnn_cli.app.composition import hydra_of
from prnn_cli.app.safety import check_compositions
from prnn_cli.commands import command_of
from prnn_cli.data.prepare import PreparedData
from prnn_cli.data.prepare import prepare as prepare_dataset
from prnn_cli.errors import UserError
from prnn_cli.experiment.dataset_paths import with_paths_from_files
from prnn_cli.experiment.settings import composed, composition_explained, register_schemas
from prnn_cli.extensions import config_folders
from prnn_cli.jobs.job import checked_settings, run_in
from prnn_cli.reporting.report import table_of
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import TablesCommand, TrainCommand
from prnn_cli.serving.finished_run import Run, load_run

__all__ = ["Config", "Run", "compose", "load_run", "prepare", "table", "train"]


@dataclass(frozen=True)
class Config:
    """What `prnn train OVERRIDES` would run.

    settings: typed, every option as it holds, such as `config.settings.recipe.learning_rate`
    folder: that the run goes to, `hydra.run.dir=DIR`, or one named after the time
    """

    settings: TrainCommand
    folder: Path
    composed: DictConfig
    hydra: HydraConf

    def __str__(self) -> str:
        """The configuration as YAML."""
        return OmegaConf.to_yaml(self.composed, resolve=True)


def compose(overrides: Sequence[str] = (), config_dir: str | Path | None = None) -> Config:
    """The configuration of a training: `overrides` as on the command line (GROUP=CHOICE, KEY=VALUE), which are those of
    one run, and `config_dir`, a folder of further configs (-cd).

    Raises `UserError` for what `prnn train` would refuse before it began.
    """
    overrides = list(overrides)
    register_schemas()
    check_compositions()
    folder = None if config_dir is None else str(config_dir)
    with composition_explained("train", overrides), hydra_of("train", config_folders()[0], folder):
        whole = hydra.compose("train", overrides=[*overrides, "hydra.mode=RUN"], return_hydra_config=True)
        with open_dict(whole):
            of_hydra = whole.pop("hydra")
            of_hydra.runtime.cwd = str(Path.cwd())
        of_hydra.mode = RunMode.RUN
        config = with_paths_from_files(whole, of_hydra)
        settings: TrainCommand = checked_settings("train", config, overrides)
    if settings.seeds != 1 or settings.tune or settings.search or settings.plan:
        raise UserError(
            "a configuration from Python is one training: leave out seeds, tune, search and plan, which make several "
            "of it or none; call compose once for each seed=N"
        )
    return Config(settings, Path(of_hydra.run.dir), config, of_hydra)


def prepare(config: Config) -> PreparedData:
    """The prepared sessions of the configuration's dataset, from the cache if they are there.

    Raises `UserError` for a log that cannot be read, or that leaves too little.
    """
    return prepare_dataset(config.settings.dataset, Path(config.settings.cache_dir))


def train(config: Config) -> Run:
    """Trains, ranks the test part, and writes the run's folder, as `prnn train` does; a finished one is taken up again
    with `resume=true` among the overrides.

    Raises `UserError` for what cannot be trained or a folder that is not empty, `RunError` where training fails.
    """
    folder = RunFolder(config.folder)
    folder.path.mkdir(parents=True, exist_ok=True)
    with _logged(folder.path / "train.log"):
        run_in(folder, "train", command_of("train"), config.settings, config.composed, config.hydra)
    return load_run(config.folder)


def table(runs: Run | str | Path | Sequence[str | Path | Run]) -> pd.DataFrame:
    """Finished runs side by side, with their baselines: a row for each method and each kind of run, seeds together;
    metrics, intervals, and differences to the ID-only row, as `prnn tables` writes them to table.csv.

    Runs of other data or evaluations make sets of their own, numbered in the column `set`. Raises `UserError` where
    none is finished.
    """
    runs = [runs] if isinstance(runs, str | Path | Run) else runs
    folders = [each.folder if isinstance(each, Run) else Path(each) for each in runs]
    settings: TablesCommand = composed("tables", ["runs=python"])
    return table_of(folders, settings.table)


@contextmanager
def _logged(file: Path) -> Iterator[None]:
    """Writes what prnn logs into the file, too."""
    handler = logging.FileHandler(file, delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("prnn_cli")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(min(level or logging.INFO, logging.INFO))
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        handler.close()
