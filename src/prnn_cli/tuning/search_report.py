"""What a search leaves: a table of its trials, and the best one as a config that the next command takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from omegaconf import OmegaConf

from prnn_cli.errors import RunError, UserError
from prnn_cli.reporting.tables import markdown, show
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import SearchConfig
from prnn_cli.system.files import atomic_write, write_text

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
METRICS = ("recall@20", "mrr@20")


def write_search(folder: Path, study: Study, search: SearchConfig) -> None:
    """trials.csv, trials.md and, once a trial has finished, tuned/NAME.yaml in `search.folder`."""
    table = trials_table(folder, study)
    with atomic_write(folder / "trials.csv") as temporary:
        table.to_csv(temporary, index=False)
    write_text(folder / "trials.md", markdown(_rounded(table)))
    if best := _best(study):
        write_text(best_file(search), _best_config(folder, best, search))


def show_search(folder: Path, study: Study, search: SearchConfig) -> None:
    """Raises `RunError` where no trial finished."""
    table = trials_table(folder, study)
    best = _best(study)
    if best is None:
        raise RunError(f"no trial of {len(table)} finished; {folder}/trials.csv says why")
    show(_rounded(table.sort_values(search.metric, ascending=False, na_position="last").head(10)))
    print(f"trial {best.number} is the best of {len(table)} by {search.metric} on the validation part")
    print(
        f"written to {folder}, and as a config to {best_file(search)}; on training + validation and the test part:"
    )
    print(f"  prnn train -cd {search.folder} tuned={search.name} …")


def best_file(search: SearchConfig) -> Path:
    return Path(search.folder) / "tuned" / f"{search.name}.yaml"


def trials_table(folder: Path, study: Study) -> pd.DataFrame:
    """A line a trial: its settings, and its metrics on the validation part, of a pruned one after its last epoch."""
    rows = []
    for trial in study.get_trials(deepcopy=False):
        run = RunFolder(folder / f"trial-{trial.number}")
        rows.append(
            {"trial": trial.number, "state": STATES[trial.state.name]}
            | trial.params
            | dict.fromkeys(METRICS)
            | _measured(run)
            | {"epochs": len(trial.intermediate_values)}
            | {"reason": study.user_attrs.get(f"failure of {trial.number}", "")}
        )
    return pd.DataFrame(rows)


def _measured(run: RunFolder) -> dict[str, Any]:
    try:
        metrics = run.metrics()
        return {key: metrics[key] for key in METRICS}
    except UserError:
        epochs = run.path / "epochs.csv"
        frame = pd.read_csv(epochs) if epochs.is_file() else pd.DataFrame()
        return {key: float(frame[key].iloc[-1]) for key in METRICS if key in frame and len(frame)}


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
        f"{folder}. Use: prnn train -cd {search.folder} tuned={search.name}\n{OmegaConf.to_yaml(config)}"
    )


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    digits = {
        key: "{:.4f}".format if key in METRICS else "{:.4g}".format for key in table.select_dtypes(float)
    }
    shown = table.copy().astype(object)
    for key, form in digits.items():
        shown[key] = [form(value) if pd.notna(value) else "" for value in table[key]]
    return shown.drop(columns="reason") if not table["reason"].any() else shown
