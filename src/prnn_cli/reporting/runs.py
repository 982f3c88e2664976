"""Folders -> finished runs -> rows of a table: runs that differ in their seed alone, ranked on the same events."""

import glob
import json
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from prnn_cli.errors import UserError, first_line
from prnn_cli.origin import Origin
from prnn_cli.reporting.published import paper_order
from prnn_cli.reporting.tables import epochs_text
from prnn_cli.run_folder import CHECKSUMS, RunFolder, flat
from prnn_cli.schema import Mark, is_marked

# Architectures with one subnet, which are one group in the paper's tables.
ONE_SUBNET = ("id_only", "feature_only", "concatenated")
RECIPE = "recipe.name"
# Keys of metrics.json that a report cannot do without.
NEEDED = (
    "arch",
    "seed",
    "baselines",
    "labels",
    "baseline_options",
    "gain_over",
    "metrics",
    "origin",
    "data_hash",
    "part",
    "cutoffs",
    "candidates",
    "tie_break",
    "num_test_events",
    CHECKSUMS,
)


@dataclass(frozen=True)
class FinishedRun:
    """A run of `prnn train` or `prnn evaluate` that has its metrics.json.

    settings: {"recipe.dropout": 0.4, …}, what decides the result, but for the seed; given: {"epochs": "epochs=3", …},
    the options and groups that its command line gave values to, and that of the evaluation; window: its number, where
    the data are one of several windows of a log
    """

    folder: Path
    metrics: dict[str, Any]
    settings: dict[str, Any]
    given: dict[str, str] = field(default_factory=dict)
    window: int | None = None

    @property
    def ranked_as(self) -> tuple[Any, ...]:
        """The events, candidates, tie mode and baselines with their options: runs compare where all are equal.

        Baselines that go by the items' features are not among them, so that networks of other features compare.
        """
        keys = ("data_hash", "part", "num_test_events", "candidates", "tie_break")
        options = self.metrics["baseline_options"]
        of_clicks = {name: each for name, each in options.items() if "features" not in each}
        return (*(self.metrics[key] for key in keys), json.dumps(of_clicks, sort_keys=True))


@dataclass
class Row:
    """A line of a table: runs that differ in their seed alone.

    key: its name in configs/row/; group: its block in the paper; failures: the reasons of its runs that failed
    """

    name: str
    key: str | None = None
    group: str = ""
    runs: list[FinishedRun] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def values(self, metric: str) -> list[float]:
        """A value for each seed."""
        return [run.metrics[metric] for run in self.runs]

    @property
    def tie_rate(self) -> float:
        """The mean share of events whose target scored the same as another candidate."""
        return sum(self.values("tie_rate")) / len(self.runs)

    @property
    def epochs(self) -> str:
        """The passes over the training part, such as "10+10"; where seeds chose different ones, each."""
        return ", ".join(dict.fromkeys(epochs_text(run.metrics["train"]) for run in self.runs))

    @property
    def updates(self) -> int | None:
        """The updates of the parameters in training, their mean over the seeds; None of older runs, which kept no
        count."""
        counts = [run.metrics["train"].get("updates") for run in self.runs]
        return None if None in counts else round(sum(counts) / len(counts))

    @property
    def events_per_s(self) -> float:
        """The mean speed of training."""
        return float(sum(run.metrics["train"]["events_per_s"] for run in self.runs) / len(self.runs))

    @property
    def is_id_only(self) -> bool:
        """Whether its runs know the items' IDs alone."""
        return any(run.metrics["arch"] == "id_only" for run in self.runs)

    @property
    def is_parallel(self) -> bool:
        """Whether its runs have several subnets, a p-RNN's; the hidden sizes are joined by "+"."""
        return any("+" in str(run.metrics["hidden_size"]) for run in self.runs)


def read_run(folder: Path) -> FinishedRun:
    """Reads a run. Raises `UserError` where the folder holds no finished run of train or evaluate that can be read."""
    run = RunFolder(folder)
    if not run.metrics_file.is_file():
        if not run.is_begun():
            raise UserError("it holds no run")
        status = run.status()
        raise UserError(f"the run is not finished: {status['status']}{_because(status)}")
    metrics = run.metrics()
    if missing := [key for key in NEEDED if key not in metrics]:
        raise UserError(f"metrics.json is damaged: it lacks {', '.join(missing)}")
    try:
        config, given = run.config(), run.options_given()
        if "run" in config:  # of prnn evaluate: the model's settings are those of the run that trained it
            run = RunFolder(Path(config.run))
            config = run.config()
            given.pop("run", None)
            given = run.options_given() | given
        origin = Origin.of_result(metrics, config, run.metrics_file)
        settings = flat(config)
    except (OSError, YAMLError, OmegaConfBaseException, AssertionError) as error:
        raise UserError(f"its .hydra/config.yaml cannot be read ({first_line(error)})") from error
    ignored = (Mark.FREE_ON_RESUME, Mark.SHARES_ROW)
    decisive = {key: value for key, value in settings.items() if not is_marked(key, *ignored)}
    if metrics["features"] == "none":  # whatever they were set to
        decisive = {key: value for key, value in decisive.items() if not key.startswith("features.")}
    decisive |= origin.code
    window = settings.get("dataset.window.number") if settings.get("dataset.split") == "window" else None
    return FinishedRun(folder, metrics, decisive, given, window)


def failed_row(folder: Path) -> Row | None:
    """The row of a run that failed, with the reason; None of any other folder."""
    run = RunFolder(folder)
    try:
        if not run.is_begun() or (status := run.status())["status"] != "failed":
            return None
        config = run.config()
        name = str(config.get("label") or folder.name)
        return Row(
            name,
            config.row,
            group_of(config.row, config.arch.name),
            failures=[status.get("reason", "failed")],
        )
    except (UserError, OSError, YAMLError, OmegaConfBaseException, AssertionError):
        return None


def find_folders(patterns: Sequence[str]) -> list[Path]:
    """The runs that patterns match, or that lie in a folder they match. Raises `UserError` where one matches none."""
    folders: dict[Path, None] = {}
    for pattern in patterns:
        matched = [Path(path) for path in sorted(glob.glob(pattern, recursive=True)) if Path(path).is_dir()]  # noqa: PTH207
        found = [run for path in matched for run in runs_at(path)]
        if not found:
            raise UserError(
                f"runs={pattern} matches no folder of a run; give the folder of a sweep, or a pattern in quotes"
            )
        folders |= dict.fromkeys(found)
    return list(folders)


def runs_at(path: Path) -> list[Path]:
    """The folder itself and those in it, where they hold runs."""
    inside = [path, *sorted(path.iterdir())]
    return [each for each in inside if (each / "status.json").is_file() or (each / "metrics.json").is_file()]


def gather_rows(named: Iterable[tuple[str, FinishedRun]]) -> tuple[list[Row], list[str]]:
    """One row for each name and settings, and a sentence for each run that repeats another one."""
    rows: dict[tuple[Any, ...], Row] = {}
    repeated = []
    for name, run in named:
        key = (name, *sorted((each, str(value)) for each, value in run.settings.items()))
        row = rows.setdefault(
            key, Row(name, run.metrics.get("row"), group_of(run.metrics.get("row"), run.metrics["arch"]))
        )
        twins = [other for other in row.runs if other.metrics["seed"] == run.metrics["seed"]]
        if twins:
            repeated.append(f"{run.folder}: the same settings and seed as {twins[0].folder}")
        else:
            row.runs.append(run)
    return _distinctly_named(list(rows.values())), repeated


def in_papers_order(rows: Sequence[Row]) -> list[Row]:
    """The rows in the order of the paper's tables: by group, and in it those that the paper lacks last."""
    order = paper_order()
    groups = list(
        dict.fromkeys(["networks", "parallel", "shared_w", "interaction", *(row.group for row in rows)])
    )
    return sorted(rows, key=lambda row: (groups.index(row.group), order.get(row.key or "", len(order))))


def seeds_averaged(rows: Sequence[Row]) -> str:
    """How many seeds the rows' values are means over, "2 seeds" or "1 to 2 seeds"; empty where each has one."""
    counts = [len(row.runs) for row in rows if row.runs]
    fewest, most = min(counts), max(counts)
    if most == 1:
        return ""
    return f"{most} seeds" if fewest == most else f"{fewest} to {most} seeds"


def group_of(row: str | None, arch: str) -> str:
    """The block of the paper's tables that a row stands in; empty for a run that is no row."""
    return "" if row is None else "networks" if arch in ONE_SUBNET else arch


def _distinctly_named(rows: list[Row]) -> list[Row]:
    """Appends to the name of rows that share it the settings in which they differ, and to the name of a baseline that
    it is none; returns the rows."""
    for row in rows:
        if row.name in row.runs[0].metrics["baselines"]:
            row.name += " (network)"
    for name in {row.name for row in rows}:
        twins = [row for row in rows if row.name == name]
        if len(twins) == 1:
            continue
        given = set().union(*(run.given for row in twins for run in row.runs))
        differing = _without_recipes_own(_differing([row.runs[0].settings for row in twins]), given)
        for number, row in enumerate(twins):
            own = ", ".join(f"{key}={values[number]}" for key, values in differing.items())
            row.name = f"{name} [{own}]"
    return rows


def _differing(settings: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """The options that differ, with the value in each of `settings`.

    Of options that change together, as by interpolation, the least nested one stands for all.
    """
    found: dict[tuple[str, ...], str] = {}
    keys = {key for each in settings for key in each}
    for key in sorted(keys, key=lambda key: (key.count("."), key)):
        values = tuple(str(each.get(key)) for each in settings)
        if len(set(values)) > 1:
            found.setdefault(values, key)
    return {key: values for values, key in found.items()}


def _without_recipes_own(
    differing: Mapping[str, tuple[str, ...]], given: Container[str]
) -> dict[str, tuple[str, ...]]:
    """The options that differ, and of those that differ as the recipe does, nobody having given them a value, the
    recipe's name alone."""
    recipes = differing.get(RECIPE)
    if recipes is None:
        return dict(differing)

    def is_its_own(key: str, values: tuple[str, ...]) -> bool:
        return key not in given and len(set(zip(recipes, values, strict=True))) == len(set(recipes))

    others = {
        key: values for key, values in differing.items() if key != RECIPE and not is_its_own(key, values)
    }
    return {RECIPE.removesuffix(".name"): recipes} | others


def _because(status: Mapping[str, Any]) -> str:
    return f" ({status['reason']})" if status.get("reason") else ""
