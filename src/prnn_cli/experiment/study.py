"""The study of a search: an SQLite file that holds every trial, so that a search resumes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prnn_cli.errors import UserError, first_line
from prnn_cli.schema import SearchConfig

if TYPE_CHECKING:
    from optuna import Study

FILE = "study.db"
NAME = "prnn"


@dataclass(frozen=True)
class StudyIdentity:
    """The data, metric, space and settings that all trials of a study share, so that their values compare.

    settings: {"epochs": "10", …}, all that is not searched
    """

    data_hash: str
    metric: str
    space: dict[str, str]
    settings: dict[str, str]


def open_study(folder: Path, identity: StudyIdentity, seed: int, search: SearchConfig, resume: bool) -> Study:
    """Opens the study in `folder`, or begins one there.

    Raises `UserError` for a study that is not to be resumed, or whose trials would not compare with new ones.
    """
    optuna = quiet_optuna()
    file = folder / FILE
    is_begun = file.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        study: Study = optuna.create_study(
            study_name=NAME,
            storage=_url(file),
            direction="maximize",
            load_if_exists=True,
            pruner=_pruner(search),
        )
        known = study.user_attrs.get("identity")
        done = len(study.get_trials(deepcopy=False))
    except Exception as error:  # SQLAlchemy's or SQLite's, whatever the file holds
        raise UserError(f"{file} is no study ({first_line(error)}); choose another search.folder") from error
    # With the seed that it began with, a resumed study would be proposed its first trials once more. `constant_liar`
    # has trials that run at the same time keep away from each other.
    study.sampler = optuna.samplers.TPESampler(seed=seed + done, constant_liar=search.parallel > 1)
    if known is None:
        study.set_user_attr("identity", asdict(identity))
    else:
        _refuse_other(file, StudyIdentity(**known), identity)
    if is_begun and not resume:
        raise UserError(
            f"{file} holds a study; add resume=true to continue it, or choose another search.folder"
        )
    return study


def _refuse_other(file: Path, before: StudyIdentity, now: StudyIdentity) -> None:
    hint = "choose another search.folder"
    if before.data_hash != now.data_hash:
        raise UserError(f"{file} is a study of other data; restore them, or {hint}")
    if before.metric != now.metric:
        raise UserError(f"{file} is a study of {before.metric}, not of {now.metric}; {hint}")
    for what, old, new in (("space", before.space, now.space), ("settings", before.settings, now.settings)):
        changed = [
            f"{key} was {old.get(key, 'not among them')} and is now {new.get(key, 'not among them')}"
            for key in sorted(old.keys() | new.keys())
            if old.get(key) != new.get(key)
        ]
        if changed:
            raise UserError(f"{file} is a study with another {what}: {'; '.join(changed[:3])}; {hint}")


def load_trial(folder: Path, search: SearchConfig) -> Any:
    """Loads the running trial `search.trial` of the study in `folder`, to report to."""
    optuna = quiet_optuna()
    study = optuna.load_study(study_name=NAME, storage=_url(folder / FILE), pruner=_pruner(search))
    # Optuna gives a running trial only to the process that asked for it; here the job's own process reports.
    frozen = next(each for each in study.get_trials(deepcopy=False) if each.number == search.trial)
    return optuna.trial.Trial(study, frozen._trial_id)


def quiet_optuna() -> Any:
    """Imports Optuna where it is needed, and leaves the reports of trials to prnn's own log."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _pruner(search: SearchConfig) -> Any:
    import optuna

    if not search.prune:
        return optuna.pruners.NopPruner()
    return optuna.pruners.MedianPruner(search.prune_after_trials, search.prune_after_epochs)


def _url(file: Path) -> str:
    return f"sqlite:///{file.absolute()}"
