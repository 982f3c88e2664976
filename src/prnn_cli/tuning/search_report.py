"""The files that a search leaves: a table of its trials, and the best one as a config that a command can take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from omegaconf import OmegaConf

from prnn_cli.errors import RunError, UserError
from prnn_cli.evaluation.metrics import ALWAYS_MEASURED
from prnn_cli.reporting.table_formats import TextTable, to_markdown, write_csv
from prnn_cli.reporting.terminal import say, show
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import SearchConfig
from prnn_cli.system.files import write_text

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

STATES = {
    "COMPLETE": "done",
    "PRUNED": "pruned",
    "FAIL": "failed",
    "RUNNING": "running",
    "WAITING": "waiting",
}


def write_search(folder: Path, study: Study, search: SearchConfig) -> None:
    """Writes trials.csv, trials.md and, once a trial has finished, tuned/NAME.yaml in `search.folder`."""
    table = trials_table(folder, study, search)
    write_csv(folder / "trials.csv", table)
    write_text(folder / "trials.md", to_markdown(_rounded(table, search)))
    if best := _best(study):
        write_text(best_file(search), _best_config(folder, best, search))


def show_search(folder: Path, study: Study, search: SearchConfig) -> None:
    """Prints the ten best trials, and how the best one is used. Raises `RunError` where no trial finished."""
    table = trials_table(folder, study, search)
    best = _best(study)
    if best is None:
        raise RunError(f"no trial of {len(table)} finished; {folder}/trials.csv says why")
    best_ten = table.sort_values(search.metric, ascending=False, na_position="last").head(10)
    show(_rounded(best_ten.drop(columns="reason"), search))
    for trial, reason in best_ten.loc[best_ten["reason"] != "", ["trial", "reason"]].itertuples(index=False):
        say(f"trial {trial}: {reason}")
    print(f"trial {best.number} is the best of {len(table)} by {search.metric} on the validation part")
    print(
        f"written to {folder}, and as a config to {best_file(search)}; on training + validation and the test part:"
    )
    print(f"  {_use(search)} …")


def best_file(search: SearchConfig) -> Path:
    """The config of the best trial, which `tuned=NAME` composes."""
    return Path(search.folder) / "tuned" / f"{search.name}.yaml"


def trials_table(folder: Path, study: Study, search: SearchConfig) -> pd.DataFrame:
    """A line for each trial: settings, and metrics on the validation part; of a pruned trial after its last epoch."""
    rows, metrics = [], trial_metrics(search)
    for trial in study.get_trials(deepcopy=False):
        run = RunFolder(folder / f"trial-{trial.number}")
        rows.append(
            {"trial": trial.number, "state": STATES[trial.state.name]}
            | trial.params
            | dict.fromkeys(metrics)
            | _measured(run, metrics)
            | {"epochs": len(trial.intermediate_values)}
            | {"reason": study.user_attrs.get(f"failure of {trial.number}", "")}
        )
    return pd.DataFrame(rows)


def trial_metrics(search: SearchConfig) -> list[str]:
    """The metrics of a trial that a table shows: what is always measured, and what is searched by."""
    return list(dict.fromkeys([*ALWAYS_MEASURED, search.metric]))


def _measured(run: RunFolder, names: Sequence[str]) -> dict[str, Any]:
    try:
        metrics = run.metrics()
        return {key: metrics[key] for key in names}
    except UserError:
        epochs = run.path / "epochs.csv"
        frame = pd.read_csv(epochs) if epochs.is_file() else pd.DataFrame()
        return {key: float(frame[key].iloc[-1]) for key in names if key in frame and len(frame)}


def _best(study: Study) -> FrozenTrial | None:
    try:
        return study.best_trial
    except ValueError:  # none has finished
        return None


def _best_config(folder: Path, best: FrozenTrial, search: SearchConfig) -> str:
    config = OmegaConf.create({})
    for key, value in best.params.items():
        OmegaConf.update(config, key, value)
    return (
        f"# @package _global_\n# {search.metric} {best.value:.4f} on the validation part: trial {best.number} of "
        f"{folder}. Use: {_use(search)}\n{OmegaConf.to_yaml(config)}"
    )


def _use(search: SearchConfig) -> str:
    """The command that takes the best settings."""
    named = f"baselines=[{search.method}] " if search.method else ""
    return f"prnn train -cd {search.folder} {named}tuned={search.name}"


def _rounded(table: pd.DataFrame, search: SearchConfig) -> TextTable:
    """The trials for display; the column of reasons only where a trial failed."""
    metrics = trial_metrics(search)
    formats = {str(key): ".4f" if key in metrics else ".4g" for key in table.select_dtypes(float)}
    told = "reason" in table and table["reason"].any()
    return TextTable.from_frame(table if told else table.drop(columns="reason", errors="ignore"), formats)
