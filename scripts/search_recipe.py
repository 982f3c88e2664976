"""A search for the settings of a recipe: those that rank the validation parts of several logs best, together.

A trial trains arch=id_only on each log with the same settings, every epoch measured, the best one kept. Its value is
the mean, over the logs, of log(mrr@20): a per cent on one log counts as much as a per cent on another. A trial that is
far behind the best one on a log is not trained on the logs after it. No test part is looked at.

    python scripts/search_recipe.py cross_entropy --trials 20 --folder runs/recipes \\
        --log "dataset=online_retail dataset.path=DIR dataset.test_days=7" \\
        --log "dataset=vidxl_like dataset.scale=0.005"
"""

import argparse
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import optuna

# Of a trial's mrr@20 on a log, by the best one's there, below which it is not trained on the next log.
HOPELESS = 0.95

Space = dict[str, list[Any]]  # option -> its values

COMMON: Space = {
    "recipe.batch_size": [32, 64, 128, 256],
    "recipe.sample_alpha": [0.0, 0.25, 0.5, 0.75],
    "recipe.dropout": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5],
    "recipe.input_dropout": [0.0, 0.1, 0.2, 0.3, 0.4],
    "recipe.tied": ["true", "false"],
    "recipe.learning_rate": [0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2],
}
SPACES: dict[str, Space] = {
    "cross_entropy": COMMON | {"recipe.logq": [0.0, 0.5, 1.0], "recipe.momentum": [0.0, 0.2, 0.4]},
    "modern": COMMON
    | {"recipe.momentum": [0.0, 0.1, 0.3, 0.5], "recipe.score_regularisation": [0.3, 0.5, 1.0, 2.0]},
}
FIXED = [
    "dataset.validation_days=${.test_days}",
    "arch=id_only",
    "evaluation.part=validation",
    "epochs=12",
    "training.select=best",
    "training.patience=1",
]


def main() -> None:
    """Runs the trials, each written to the folder as a line of trials.jsonl, and prints the best."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe", choices=SPACES)
    parser.add_argument("--log", action="append", required=True, help="overrides that name a log; repeat it")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument(
        "--first", action="append", default=[], help="overrides of a trial to begin with; repeat it"
    )
    parser.add_argument("--fixed", default="", help="further overrides of all trials")
    parser.add_argument("--seed", type=int, default=0, help="of the search")
    parser.add_argument("--folder", type=Path, required=True)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    sampler = optuna.samplers.TPESampler(seed=args.seed, multivariate=True, n_startup_trials=8)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for first in args.first:
        study.enqueue_trial(
            {name: _typed(value) for name, _, value in (each.partition("=") for each in first.split())}
        )
    study.optimize(lambda trial: _value(trial, args), n_trials=args.trials)
    print(study.best_value, study.best_params)


def _typed(text: str) -> Any:
    return text if text in ("true", "false") else json.loads(text)


def _value(trial: optuna.Trial, args: argparse.Namespace) -> float:
    settings = {name: trial.suggest_categorical(name, values) for name, values in SPACES[args.recipe].items()}
    overrides = [f"recipe={args.recipe}", *(f"{name}={value}" for name, value in settings.items()), *FIXED]
    reached: list[dict[str, float]] = []
    for number, log in enumerate(args.log):
        folder = args.folder / f"trial-{trial.number}-log-{number}"
        metrics = _trained([*overrides, *args.fixed.split(), *log.split()], folder)
        reached.append(metrics)
        trial.set_user_attr(f"mrr of {number}", metrics["mrr@20"])
        best = max((each.user_attrs.get(f"mrr of {number}", 0) for each in trial.study.trials), default=0)
        if metrics["mrr@20"] < HOPELESS * best:
            break
    value = sum(math.log(max(each["mrr@20"], 1e-9)) for each in reached)
    value = (value - 5 * (len(args.log) - len(reached))) / len(args.log)
    line = json.dumps({"trial": trial.number, "value": value, "settings": settings, "reached": reached})
    with (args.folder / "trials.jsonl").open("a") as file:
        file.write(line + "\n")
    print(line, flush=True)
    return value


def _trained(overrides: list[str], folder: Path) -> dict[str, float]:
    """The metrics of a run; those of a run that failed are 0."""
    command = [
        sys.executable,
        "-m",
        "prnn_cli",
        "train",
        *overrides,
        "baselines=[popularity]",
        "checkpoint.keep=never",
    ]
    done = subprocess.run([*command, f"hydra.run.dir={folder}"], capture_output=True, text=True, check=False)
    if done.returncode == 2:
        sys.exit(done.stderr)
    if done.returncode:
        print(done.stderr[-300:], flush=True)
        return {"recall@20": 0.0, "mrr@20": 0.0}
    metrics = json.loads((folder / "metrics.json").read_text())
    return {name: metrics[name] for name in ("recall@20", "mrr@20")} | {
        "epochs": metrics["selected_epochs"][0]
    }


if __name__ == "__main__":
    main()
