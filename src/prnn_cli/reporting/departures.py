"""What sets runs of a published experiment apart from the publication: other events, or other settings of a method.

The command line tells. Whatever it may hold that is not known to leave both as they were published is a departure.
"""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import pandas as pd
import yaml

from prnn_cli.extensions import own_configs
from prnn_cli.reporting.runs import FinishedRun
from prnn_cli.run_folder import flat, literal

# Options, and groups of them, that leave the methods and the events that are ranked as they were published.
FAIR = (
    "seed",
    "seeds",
    "label",
    "jobs",
    "plan",
    "resume",
    "tune",  # what it finds comes with tuned=…, which is not fair
    "cache_dir",
    "checkpoint",
    "hardware",
    "logger",
    "table",
    "dataset.path",
    "dataset.items.path",
    "dataset.max_bad_share",
    "dataset.min_ranked_events",
    "dataset.window.number",
    "evaluation.metrics",
    "evaluation.cutoffs",
    "evaluation.each_epoch",
)
OF_EVENTS = ("dataset", "evaluation", "experiment")  # groups that decide which events are ranked, and how
MOST_OFF = 0.01  # of a log's rows, as what is told of logs counts some rows otherwise


def other_events(runs: Sequence[FinishedRun], values: pd.DataFrame) -> list[str]:
    """Why the runs rank other events than the published ones, such as "dataset.test_days=3"; empty where they do not.

    values: what was published for their experiments
    """
    published_of = set(values["dataset"])
    found = [name for run in runs if (name := run.metrics["dataset"]) not in published_of]
    found = [f"dataset={name}" for name in found]
    found += ["a command line that is not known" for run in runs if "experiment" not in run.given]
    found += [text for run in runs for key, text in _changes(run, values).items() if _is_of(key, OF_EVENTS)]
    found += [rows for run in runs if (rows := _other_rows(run))]
    of_windows = values["windows"].max()
    numbers = {run.window for run in runs if run.window is not None}
    if of_windows and numbers != set(range(1, of_windows + 1)):
        found.append(f"{len(numbers)} of {of_windows} windows")
    return list(dict.fromkeys(found))


def other_settings(runs: Sequence[FinishedRun], values: pd.DataFrame) -> list[str]:
    """What the command lines of the runs set of the methods, such as "recipe.dropout=0.4"; empty where nothing.

    values: what was published for their experiments
    """
    found = [
        text for run in runs for key, text in _changes(run, values).items() if not _is_of(key, OF_EVENTS)
    ]
    return list(dict.fromkeys(found))


def _changes(run: FinishedRun, values: pd.DataFrame) -> dict[str, str]:
    """What was given to a run that is neither fair nor what its experiment has anyway: option -> as it was typed."""
    metrics = run.metrics
    own = _own_values(metrics["experiment"]) | {
        "experiment": metrics["experiment"],
        "row": metrics.get("row"),
    }
    return {
        key: text
        for key, text in run.given.items()
        if not _is_of(key, FAIR)
        and not (key in own and _value(text).lower() == str(own[key]).lower())  # sweeps write True for true
        and not (_is_of(key, ("baselines",)) and _leaves_published_baselines(run, key, text, values))
    }


def _value(text: str) -> str:
    """What an override sets; empty where it takes the option out."""
    return "" if text.startswith("~") else text.partition("=")[2]


@cache
def _own_values(experiment: str) -> dict[str, str]:
    """The options that the experiment's file sets, and its choices of groups, as they would be typed."""
    content: dict[str, Any] = yaml.safe_load(
        (own_configs() / "experiment" / f"{experiment}.yaml").read_text(encoding="utf-8")
    )
    choices = {
        group.removeprefix("override /"): choice
        for default in content.pop("defaults")
        for group, choice in default.items()
    }
    return {key: json.dumps(value).strip('"') for key, value in {**flat(literal(content)), **choices}.items()}


def _leaves_published_baselines(run: FinishedRun, key: str, text: str, values: pd.DataFrame) -> bool:
    """Whether an override of baselines leaves those out that were published, or changes no option of theirs."""
    _, _, option = key.partition(".")
    name, _, of_its_own = option.partition(".")
    if text.startswith("~") and not of_its_own:
        return True
    ranked = run.metrics["baseline_options"]
    touched = [name] if name else ranked
    return not any(ranked.get(name) and (run.metrics["experiment"], name) in values.index for name in touched)


def _is_of(key: str, groups: Sequence[str]) -> bool:
    """Whether an option is one of these, or in one of these groups."""
    return f"{key}.".startswith(tuple(f"{group}." for group in groups))


def _other_rows(run: FinishedRun) -> str:
    """How many rows a run could read of a public log; empty where it is (nearly) as many as there are, or it is not
    known."""
    data, whole = run.metrics.get("data", {}), run.settings.get("dataset.source.events")
    if "rows" not in data or whole is None:
        return ""
    bad = sum(count for reason, count in data.get("dropped", {}).items() if reason.startswith("bad rows"))
    read = data["rows"] - bad
    return "" if abs(read - whole) <= MOST_OFF * whole else f"{read:,} rows where the log has {whole:,}"
