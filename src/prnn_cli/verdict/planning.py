"""What a verdict trains within its hours: each row's time is forecast, and what does not fit is left out and said."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from prnn_cli.errors import RunError, UserError
from prnn_cli.experiment.memory import MEMORY_SHARE, free_memory
from prnn_cli.run_folder import read_json
from prnn_cli.schema import AUTO, VerdictCommand
from prnn_cli.system import forked
from prnn_cli.system.durations import shown_duration, side_by_side_s
from prnn_cli.system.progress import Meter, meter
from prnn_cli.verdict.rows import PLACEBOS, VerdictRow, VerdictRun
from prnn_cli.verdict.setting_up import Field, free_space
from prnn_cli.verdict.trainer import Trainer, why_failed


@dataclass(frozen=True)
class Cost:
    """The seconds of a training on the hold-out and on the test part, and its bytes of memory."""

    hold_out: float
    test: float
    peak_bytes: int

    @classmethod
    def of(cls, forecast: Mapping[str, Any], process_s: float, compiling: float = 1.0) -> "Cost":
        """The cost from a forecast of the training on the hold-out, made in a process that took so many seconds.

        compiling: the share of the time to compile that is left where steps have been compiled before
        """
        saved = (1 - compiling) * forecast["compiling_s"]
        hold_out = forecast["seconds"] - saved + max(0.0, process_s - forecast["made_in_s"])
        refit = sum(stage["rounds"] * stage["round_s"] for stage in forecast["stages"])
        return cls(hold_out, hold_out + (refit if forecast["chosen"] else 0), forecast["peak_bytes"])


@dataclass(frozen=True)
class Plan:
    """What is trained. compares: whether the best networks of the other recipes are ranked on the test part as well

    costs: by the key of each row that can be trained; left_out: what the plan lacks
    """

    recipes: list[str]
    rows: list[str]
    trials: int
    compares: bool
    jobs: int
    costs: dict[str, Cost]
    left_out: list[str]

    def fields(self, fields: Sequence[Field]) -> list[Field]:
        """Of all networks those that are in the plan, and that can be trained."""
        kept = []
        for each in fields:
            candidates = [row for row in each.candidates if row.config in self.rows and row.key in self.costs]
            if each.recipe in self.recipes and candidates:
                kept.append(replace(each, candidates=candidates))
        return kept

    def is_of(self, fields: Sequence[Field]) -> bool:
        """Whether it is a plan for these networks, of which some may have been left out."""
        recipes = [each.recipe for each in fields]
        keys = {row.key for each in fields for row in each.rows}
        return set(self.recipes) <= set(recipes) and self.costs.keys() <= keys

    def hold_out_s(self, fields: Sequence[Field]) -> float:
        """The seconds of choosing: each network once, then the trials of the costliest of each kind."""
        rows = [row for each in self.fields(fields) for row in each.rows]
        kinds = [[row for row in rows if row.has_features is kind] for kind in (False, True)]
        costliest = [max(self.costs[row.key].hold_out for row in kind) for kind in kinds]
        screened = [self.costs[row.key].hold_out for row in rows]
        return side_by_side_s(screened, self.jobs) + side_by_side_s((self.trials - 1) * costliest, self.jobs)

    def test_s(self, fields: Sequence[Field], seeds: int, pick: Any = max) -> float:
        """The seconds of so many seeds of the chosen rows. pick: of the rows that may be chosen, max or min"""
        by_recipe = {
            each.recipe: (
                pick(self.costs[row.key].test for row in each.controls),
                pick(self.costs[row.key].test for row in each.candidates),
            )
            for each in self.fields(fields)
        }
        trained = [pick(network for _, network in by_recipe.values())] * (1 + len(PLACEBOS))
        trained.append(pick(control for control, _ in by_recipe.values()))
        if self.compares:
            pairs = sorted(by_recipe.values(), key=sum, reverse=pick is max)
            trained += [each for pair in pairs[1:] for each in pair]
        return side_by_side_s(seeds * trained, self.jobs)

    def total_s(self, fields: Sequence[Field], seeds: int) -> float:
        return self.hold_out_s(fields) + self.test_s(fields, seeds)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def read(cls, file: Path) -> "Plan":
        found = read_json(file)
        return cls(**found | {"costs": {key: Cost(**cost) for key, cost in found["costs"].items()}})


@dataclass(frozen=True)
class Costs:
    """The costs by the key of the row, how many trainings fit side by side, and why p-RNNs cannot be trained, by their
    names."""

    of_rows: dict[str, Cost]
    jobs: int
    failures: dict[str, str]


def costs_of(trainer: Trainer, fields: Sequence[Field], settings: VerdictCommand) -> Costs:
    """Forecasts every row, in a process each, as many at a time as train.

    Raises `RunError` where a network of IDs cannot be trained, or no p-RNN can.
    """
    rows = [row for each in fields for row in each.rows]
    with (
        tempfile.TemporaryDirectory(prefix="prnn-plan-") as folder,
        meter("forecasting", len(rows) + 2) as progress,
    ):
        # By themselves first: nobody knows yet how many of them the memory holds.
        alone = _Forecasts(
            trainer, Path(folder) / "alone", [fields[-1].controls[0], fields[-1].candidates[0]]
        )
        alone.make(1, progress)
        jobs = _jobs_that_fit(settings, trainer.jobs, alone)
        found = _Forecasts(trainer, Path(folder) / "all", rows)
        found.make(jobs, progress)
    controls = {row.name for row in rows if not row.has_features}
    for name, reason in found.failures.items():
        if name in controls or len(found.failures) == len(rows) - len(controls):
            raise RunError(f"{name} cannot be trained: {reason}")
    return Costs(found.costs(alone), _jobs_that_fit(settings, jobs, found), found.failures)


@dataclass
class _Forecasts:
    """Forecasts of rows, made in `folder`.

    found: by the row's key, with the seconds of its process; failures: why there is none, by the row's name
    """

    trainer: Trainer
    folder: Path
    rows: Sequence[VerdictRow]
    found: dict[str, tuple[dict[str, Any], float]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def peak_bytes(self) -> int:
        return max(int(forecast["peak_bytes"]) for forecast, _ in self.found.values())

    def costs(self, first: "_Forecasts") -> dict[str, Cost]:
        """The costs of the rows once their steps have been compiled, as they are here, and kept.

        By how much that shortens compiling is known of the rows that were forecast before, by `first`.
        """
        both = [key for key in first.found if key in self.found]
        before, after = (sum(each.found[key][0]["compiling_s"] for key in both) for each in (first, self))
        left = min(1.0, after / before) if before else 1.0
        return {
            key: Cost.of(forecast, seconds, 1.0 if key in both else left)
            for key, (forecast, seconds) in self.found.items()
        }

    def make(self, jobs: int, progress: Meter) -> None:
        """Makes them, so many at a time."""
        self.folder.mkdir()
        starts = [partial(self._start, row) for row in self.rows]
        for number, ended in forked.side_by_side(starts, jobs):
            row = self.rows[number]
            if code := ended.exit_code:
                self.failures[row.name] = why_failed(code, self._log_of(row))
            else:
                self.found[row.key] = read_json(self._file_of(row)), ended.seconds
            progress.advance(row.name)

    def _file_of(self, row: VerdictRow) -> Path:
        return self.folder / f"{row.key}.json"

    def _log_of(self, row: VerdictRow) -> Path:
        return self.folder / f"{row.key}.log"

    def _start(self, row: VerdictRow) -> forked.Child:
        arguments = [
            each
            for each in self.trainer.arguments(VerdictRun.on_hold_out(row))
            if not each.startswith(("hydra.run.dir=", "resume="))
        ]
        arguments += [f"plan={self._file_of(row)}", f"hydra.run.dir={self.folder / row.key}"]
        return forked.start(forked.run_prnn, (arguments,), self._log_of(row))


def _jobs_that_fit(settings: VerdictCommand, jobs: int, forecasts: _Forecasts) -> int:
    """The trainings at a time, fewer where the memory of the largest would not hold them all."""
    free = free_memory()
    if settings.jobs != AUTO or free is None or not forecasts.found:
        return jobs
    return max(1, min(jobs, int(MEMORY_SHARE * free // forecasts.peak_bytes)))


def plan_within(settings: VerdictCommand, fields: Sequence[Field], costs: Costs) -> Plan:
    """As much as fits into the hours of what is asked for: one p-RNN by one recipe at least, the first that fits.

    What is added while it fits: the other recipes, the other p-RNNs, trials, and at last the other recipes' best
    networks on the test part. Raises `UserError` where no p-RNN by any recipe fits.
    """
    plan = _least(settings, fields, costs)
    trials = settings.trials if free_space(settings) else 1
    wishes = [("recipes", each) for each in settings.recipes]
    wishes += [("rows", each) for each in settings.rows]
    for what, name in wishes:
        names = getattr(plan, what)
        if name not in names:
            asked = [each for each in getattr(settings, what) if each in {*names, name}]
            plan = _if_it_fits(settings, fields, plan, {what: asked})
    for number in range(2, trials + 1):
        plan = _if_it_fits(settings, fields, plan, {"trials": number})
    if len(plan.recipes) > 1:
        plan = _if_it_fits(settings, fields, plan, {"compares": True})
    compares = len(settings.recipes) > 1
    whole = replace(plan, recipes=settings.recipes, rows=settings.rows, trials=trials, compares=compares)
    return replace(plan, left_out=[*plan.left_out, *_left_out(whole, plan)])


def _least(settings: VerdictCommand, fields: Sequence[Field], costs: Costs) -> Plan:
    """The first p-RNN by the first recipe that fit into the hours. Raises `UserError` where none does."""
    failed = [f"{name} ({reason})" for name, reason in costs.failures.items()]
    seeds, needed = settings.looks[0], {}
    for row in (row for each in fields for row in each.candidates if row.key in costs.of_rows):
        plan = Plan([row.recipe], [row.config], 1, False, costs.jobs, costs.of_rows, failed)
        needed[row.name] = plan.total_s(fields, seeds)
        if needed[row.name] <= 3600 * settings.hours:
            return plan
    name = min(needed, key=needed.__getitem__)
    raise UserError(
        f"hours={settings.hours:g} is too little: {name} with its controls, placebos and {seeds} seeds takes about "
        f"{shown_duration(needed[name])} here; give more hours, fewer epochs or looks=[2]"
    )


def _if_it_fits(
    settings: VerdictCommand, fields: Sequence[Field], plan: Plan, changes: dict[str, Any]
) -> Plan:
    """The plan with changes, if that fits into the hours; else as it was."""
    wider: Plan = replace(plan, **changes)
    fits = wider.total_s(fields, settings.looks[0]) <= 3600 * settings.hours
    return wider if fits else plan


def _left_out(whole: Plan, plan: Plan) -> list[str]:
    """What the whole plan has and this one lacks, in sentences."""
    lacking = {
        "the recipes": [each for each in whole.recipes if each not in plan.recipes],
        "the p-RNNs": [each for each in whole.rows if each not in plan.rows],
    }
    told = [f"{what} {', '.join(names)}" for what, names in lacking.items() if names]
    if plan.trials < whole.trials:
        told.append(f"{whole.trials - plan.trials} of {whole.trials} trials")
    if whole.compares and not plan.compares and len(plan.recipes) > 1:
        told.append("the best networks of the other recipes on the test part")
    return told


def told(plan: Plan, fields: Sequence[Field], looks: Sequence[int]) -> list[str]:
    """The plan in words, a line a stage."""
    kept = plan.fields(fields)
    names = ", ".join(row.name.removesuffix(f", {kept[0].recipe}") for row in kept[0].rows)
    lines = [
        f"On the hold-out, once each by {' and '.join(plan.recipes)}: {names}"
        + (f"; then the best of each kind with {plan.trials - 1} other settings" if plan.trials > 1 else "")
        + f": {shown_duration(plan.hold_out_s(fields))}"
    ]
    for row in (row for each in kept for row in each.rows):
        lines.append(f"  {row.name}: {shown_duration(plan.costs[row.key].hold_out)}")
    least, most = (plan.test_s(fields, looks[0], pick) for pick in (min, max))
    between = (
        shown_duration(most) if least > 0.9 * most else f"{shown_duration(least)} to {shown_duration(most)}"
    )
    lines.append(
        f"On the test part, {looks[0]} seeds each: the best network of IDs, the best p-RNN, the same with "
        f"{len(PLACEBOS)} placebos"
        + (", the best of the other recipes" if plan.compares else "")
        + f": {between}, by which is chosen"
    )
    if len(looks) > 1:
        lines.append(f"Up to {looks[-1]} seeds while it cannot be told, more could tell, and the hours last")
    lines.append(
        f"{plan.jobs} trainings at a time; {shown_duration(plan.total_s(fields, looks[0]))} in all at most"
    )
    if plan.left_out:
        lines.append(f"Left out: {'; '.join(plan.left_out)}")
    return lines


def seconds_of_test(trainer: Trainer, runs: Sequence[VerdictRun]) -> float:
    """The seconds that runs on the test part will take, by what their networks took on the hold-out.

    A run trains there as long as on the hold-out, and, where that chose the epochs, once more for those.
    """
    return side_by_side_s([_seconds_of(trainer, run.row) for run in runs], trainer.jobs)


def _seconds_of(trainer: Trainer, row: VerdictRow) -> float:
    run = VerdictRun.on_hold_out(row.original)
    metrics = trainer.folder_of(run).metrics()
    refit = metrics["train"]["seconds"] if metrics["select"]["select"] == "best" else 0.0
    # Of a run that ended while the verdict was stopped nobody noted the time.
    once = trainer.took.get(run.key, metrics.get("selecting", metrics["train"])["seconds"])
    return float(once + refit)
