"""A search as a sweeper of Hydra: it asks Optuna for trials, has the launcher run them, and tells Optuna the results.

Trials are jobs like others: each has a run folder, resumes, and may fail.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

    from prnn_cli.experiment.space import Space
    from prnn_cli.schema import SearchConfig, TrainCommand

log = logging.getLogger(__name__)


class TrialSweeper(Sweeper):
    """Sweeps over the trials of a study.

    Hydra scans its plugins at every start, so what this needs is imported once it searches.
    """

    def __init__(self, params: dict[str, str] | None = None) -> None:
        """params: the sweep over an experiment's rows, which Hydra gives any sweeper; a search leaves it alone"""
        self.config: DictConfig
        self.context: HydraContext
        self.launcher: Launcher

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keeps what Hydra hands over before it calls `sweep`."""
        from hydra.core.plugins import Plugins

        self.config, self.context = config, hydra_context
        self.launcher = Plugins.instance().instantiate_launcher(hydra_context, task_function, config)

    def sweep(self, arguments: list[str]) -> None:
        """Runs trials until the study has as many as `search.trials`, reports after each batch, shows the best."""
        from prnn_cli.experiment.space import Space
        from prnn_cli.tuning.search_report import show_search, write_search

        preset = OmegaConf.to_container(self.config.search.space)
        assert isinstance(preset, dict)
        space, fixed = Space.of({str(key): str(value) for key, value in preset.items()}, arguments)
        self._refuse_groups(space, fixed)
        settings, *_ = [self._settings([*fixed, *_as_overrides(extreme)]) for extreme in space.extremes()]
        assert settings.search is not None
        _refuse_idle(space, settings)
        if settings.plan:
            jobs = [self._job(fixed, extreme, number) for number, extreme in enumerate(space.extremes())]
            self.launcher.launch(jobs, 0)
            return
        folder = Path(self.config.hydra.sweep.dir)
        study = self._study(folder, space, fixed, settings)
        self._enqueue_present_settings(study, space, fixed)
        while batch := _next_batch(study, space, settings.search):
            self._run(study, folder, batch, fixed, settings.search)
            write_search(folder, study, settings.search)
        show_search(folder, study, settings.search)

    def _refuse_groups(self, space: Space, fixed: Sequence[str]) -> None:
        """Raises `UserError` for a group in the space: options that a trial lacks can be neither compared nor used."""
        from prnn_cli.errors import UserError

        config = self._composed(fixed)
        for key in space.sweeps:
            if OmegaConf.is_config(OmegaConf.select(config, key)):
                raise UserError(
                    f"{key} is a group; a search chooses single options, such as {key}.…, in one search each"
                )

    def _settings(self, overrides: Sequence[str]) -> TrainCommand:
        """The checked settings of a trial. Raises `UserError` for values that no run can have."""
        from prnn_cli.errors import UserError
        from prnn_cli.jobs.job import checked_settings

        settings: TrainCommand = checked_settings("train", self._composed(overrides), overrides)
        if settings.dataset.validation_days == 0 or settings.evaluation.part != "validation":
            raise UserError(
                "a search measures its trials on the validation part; leave evaluation.part=validation and give "
                "dataset.validation_days=auto, or a number of days"
            )
        return settings

    def _composed(self, overrides: Sequence[str]) -> DictConfig:
        from hydra.errors import HydraException

        from prnn_cli.errors import UserError
        from prnn_cli.experiment.dataset_paths import with_paths_from_files
        from prnn_cli.experiment.hydra_errors import explain
        from prnn_cli.schema import TrainCommand

        try:
            config = self.context.config_loader.load_sweep_config(
                self.config, [*overrides, "search.trial=0"]
            ).copy()
        except (HydraException, OmegaConfBaseException) as error:
            raise UserError(f"the search cannot begin: {explain(error, TrainCommand)}") from error
        OmegaConf.set_struct(config, False)
        config = with_paths_from_files(config, config.hydra)
        del config["hydra"]
        return config

    def _study(self, folder: Path, space: Space, fixed: Sequence[str], settings: TrainCommand) -> Study:
        from prnn_cli.data.prepare import prepare
        from prnn_cli.experiment.study import StudyIdentity, open_study
        from prnn_cli.run_folder import flat
        from prnn_cli.schema import Mark, is_marked

        assert settings.search is not None
        data = prepare(settings.dataset, Path(settings.cache_dir))
        composed = flat(self._composed([*fixed, *_as_overrides(space.extremes()[0])]))
        kept = {
            key: str(value)
            for key, value in composed.items()
            if not is_marked(key, Mark.FREE_ON_RESUME, Mark.PATH)
        }
        identity = StudyIdentity(data.data_hash, settings.search.metric, space.descriptions(), kept)
        return open_study(folder, identity, settings.seed, settings.search, settings.resume)

    def _enqueue_present_settings(self, study: Study, space: Space, fixed: Sequence[str]) -> None:
        """Makes the present settings the first trial, so that a search never ends below them."""
        if study.get_trials(deepcopy=False):
            return
        config = self._composed(fixed)
        present = {key: OmegaConf.select(config, key) for key in space.sweeps}
        inside = space.distributions()
        if all(_contains(inside[key], value) for key, value in present.items()):
            study.enqueue_trial(present)

    def _job(self, fixed: Sequence[str], params: dict[str, Any], number: int) -> list[str]:
        """The overrides of a trial."""
        return [*fixed, *_as_overrides(params), f"search.trial={number}"]

    def _run(
        self,
        study: Study,
        folder: Path,
        batch: Sequence[FrozenTrial],
        fixed: Sequence[str],
        search: SearchConfig,
    ) -> None:
        """Has the launcher run the trials of a batch as jobs, and records how each ended."""
        jobs = [self._job(fixed, trial.params, trial.number) for trial in batch]
        for trial in batch:
            log.info("trial %d: %s", trial.number, " ".join(_as_overrides(trial.params)))
        for trial, result in zip(batch, self.launcher.launch(jobs, batch[0].number), strict=True):
            _record(study, folder, trial.number, result.return_value.failure, search.metric)


def _record(study: Study, folder: Path, trial: int, failure: str, metric: str) -> None:
    """Tells the study how a trial ended: by its metrics, by its failure, or, where it left neither, pruned."""
    from optuna.trial import TrialState

    from prnn_cli.run_folder import RunFolder

    run = RunFolder(folder / f"trial-{trial}")
    if failure:
        study.set_user_attr(f"failure of {trial}", failure)
        study.tell(trial, state=TrialState.FAIL)
    elif run.metrics_file.is_file():
        value = run.metrics()[metric]
        study.tell(trial, value)
        log.info("trial %d: %s %.4f, the best so far %.4f", trial, metric, value, study.best_value)
    else:
        study.tell(trial, state=TrialState.PRUNED)


def _refuse_idle(space: Space, settings: TrainCommand) -> None:
    """Raises `UserError` for options that change nothing of what is searched, which would be chosen in vain."""
    method = settings.search.method if settings.search else None
    if method:
        _refuse_idle_of_baseline(space, method)
    else:
        _refuse_idle_of_network(space, settings)


def _refuse_idle_of_baseline(space: Space, method: str) -> None:
    from prnn_cli.errors import UserError

    for key in space.sweeps:
        if not key.startswith((f"baselines.{method}.", "features.")):
            raise UserError(
                f"search.method={method} ranks {method} alone, which {key} does not change; search baselines.{method}.…"
            )


def _refuse_idle_of_network(space: Space, settings: TrainCommand) -> None:
    from prnn_cli.errors import UserError
    from prnn_cli.experiment.build import subnets_of

    used = list(subnets_of(settings))
    for key in space.sweeps:
        if key.startswith("baselines."):
            raise UserError(
                f"the search chooses {key}, which no network depends on; set search.method={key.split('.')[1]}"
            )
        if key.startswith("subnets.") and key.split(".")[1] not in used:
            raise UserError(
                f"the search chooses {key}, but arch={settings.arch.name} with features={settings.features.name} has "
                f"the subnets {', '.join(used)}; choose other features, or another search"
            )


def _next_batch(study: Study, space: Space, search: SearchConfig) -> list[FrozenTrial]:
    """The trials to run next: those that an earlier process left unfinished, then new ones up to `search.trials`."""
    from optuna.trial import TrialState

    trials = study.get_trials(deepcopy=False)
    if unfinished := [each for each in trials if each.state == TrialState.RUNNING]:
        # One by one, as their numbers, which Hydra counts up, need not be consecutive.
        return unfinished[:1]
    num_new = min(search.parallel, search.trials - sum(each.state.is_finished() for each in trials))
    for _ in range(num_new):
        study.ask(space.distributions())
    return [each for each in study.get_trials(deepcopy=False) if each.state == TrialState.RUNNING]


def _contains(distribution: Any, value: Any) -> bool:
    try:
        return bool(distribution._contains(distribution.to_internal_repr(value)))
    except (ValueError, TypeError):
        return False


def _as_overrides(values: dict[str, Any]) -> list[str]:
    return [f"{key}={_written(value)}" for key, value in values.items()]


def _written(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
