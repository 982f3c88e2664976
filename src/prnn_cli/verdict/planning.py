"""What a verdict trains within its hours: each row's time is forecast, and what does not fit is left out and said."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from prnn_cli.errors import RunError, UserError
from prnn_cli.experiment.memory import free_memory
from prnn_cli.run_folder import read_json
from prnn_cli.schema import AUTO, VerdictCommand
from prnn_cli.system import forked
from prnn_cli.system.durations import shown_duration
from prnn_cli.system.progress import meter
from prnn_cli.verdict.rows import HOLD_OUT, PLACEBOS, VerdictRow, VerdictRun
from prnn_cli.verdict.setting_up import Field, free_space
from prnn_cli.verdict.trainer import Trainer, why_failed

MEMORY_SHARE = 0.8  # of what is free, that the trainings may take together


@dataclass(frozen=True)
class Cost:
    """The seconds of a training on the hold-out and on the test part, and its bytes of memory."""

    hold_out: float
    test: float
    peak_bytes: int

    @classmethod
    def of(cls, forecast: Mapping[str, Any], process_s: float) -> "Cost":
        """The cost from a forecast of the training on the hold-out, made in a process that took so many seconds."""
        hold_out = forecast["seconds"] + max(0.0, process_s - forecast["made_in_s"])
        refit = sum(stage["rounds"] * stage["round_s"] for stage in forecast["stages"])
        return cls(hold_out, hold_out + (refit if forecast["chosen"] else 0), forecast["peak_bytes"])


@dataclass(frozen=True)
class Plan:
    """What is trained. compares: whether the best networks of the other recipes are ranked on the test part as well

    costs: by the key of the row; left_out: sentences
    """

    recipes: list[str]
    rows: list[str]
    trials: int
    compares: bool
    jobs: int
    costs: dict[str, Cost]
    left_out: list[str]

    def fields(self, fields: Sequence[Field]) -> list[Field]:
        """Of all networks those that are in the plan."""
        return [
            replace(field, candidates=field.candidates[: len(self.rows)])
            for field in fields
            if field.recipe in self.recipes
        ]

    def hold_out_s(self, fields: Sequence[Field]) -> float:
        """The seconds of choosing: each network once, then the trials of the costliest of each kind."""
        rows = [row for field in self.fields(fields) for row in field.rows]
        kinds = [[row for row in rows if row.has_features is kind] for kind in (False, True)]
        costliest = sum(max(self.costs[row.key].hold_out for row in kind) for kind in kinds)
        screened = sum(self.costs[row.key].hold_out for row in rows)
        return (screened + (self.trials - 1) * costliest) / self.jobs

    def test_s(self, fields: Sequence[Field], seeds: int, pick: Any = max) -> float:
        """The seconds of so many seeds of the chosen rows. pick: of the rows that may be chosen, max or min"""
        by_recipe = {
            field.recipe: (
                pick(self.costs[row.key].test for row in field.controls),
                pick(self.costs[row.key].test for row in field.candidates),
            )
            for field in self.fields(fields)
        }
        pairs = [sum(pair) for pair in by_recipe.values()]
        chosen = pick(network for _, network in by_recipe.values()) * (1 + len(PLACEBOS))
        chosen += pick(control for control, _ in by_recipe.values())
        others = sum(pairs) - pick(pairs) if self.compares else 0.0
        return float(seeds * (chosen + others) / self.jobs)

    def total_s(self, fields: Sequence[Field], seeds: int) -> float:
        return self.hold_out_s(fields) + self.test_s(fields, seeds)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def read(cls, file: Path) -> "Plan":
        found = read_json(file)
        return cls(**found | {"costs": {key: Cost(**cost) for key, cost in found["costs"].items()}})


def costs_of(
    trainer: Trainer, fields: Sequence[Field], settings: VerdictCommand
) -> tuple[dict[str, Cost], int]:
    """The costs of all rows, each forecast in a process, as many at a time as train; and how many these are.

    Raises `RunError` where the first network of IDs cannot be forecast; other rows that cannot cost what it does.
    """
    rows = [row for field in fields for row in field.rows]
    with tempfile.TemporaryDirectory(prefix="prnn-plan-") as folder:
        probe = partial(_forecast, trainer, Path(folder))
        with meter("forecasting", len(rows)) as progress:
            first = probe(rows[:1], 1)[rows[0].key]
            jobs = _jobs_that_fit(trainer.jobs, first.peak_bytes) if settings.jobs == AUTO else trainer.jobs
            progress.update(1, rows[0].name)
            costs = probe(rows, jobs, progress.update)
    peak = max(cost.peak_bytes for cost in costs.values())
    jobs = min(jobs, _jobs_that_fit(jobs, peak)) if settings.jobs == AUTO else jobs
    return {row.key: costs.get(row.key, first) for row in rows}, jobs


def _jobs_that_fit(jobs: int, peak_bytes: int) -> int:
    free = free_memory()
    return jobs if free is None else max(1, min(jobs, int(MEMORY_SHARE * free // peak_bytes)))


def _forecast(
    trainer: Trainer, folder: Path, rows: Sequence[VerdictRow], jobs: int, tell: Any = None
) -> dict[str, Cost]:
    """The costs by key; rows of which the forecast failed are left out, unless all did."""
    files = [folder / f"{row.key}.json" for row in rows]
    logs = [file.with_suffix(".log") for file in files]

    def start(number: int) -> Any:
        run = VerdictRun(rows[number], HOLD_OUT, 1)
        arguments = [
            each for each in trainer.arguments(run) if not each.startswith(("hydra.run.dir", "resume"))
        ]
        arguments += [f"plan={files[number]}", f"hydra.run.dir={folder / rows[number].key}"]
        return forked.start(forked.run_prnn, (arguments,), logs[number])

    costs, failure = {}, ""
    starts = [partial(start, number) for number in range(len(rows))]
    for done, (number, ended) in enumerate(forked.side_by_side(starts, jobs), 1):
        if ended.process.exitcode == 0:
            costs[rows[number].key] = Cost.of(read_json(files[number]), ended.seconds)
        else:
            failure = why_failed(ended.process.exitcode or 0, logs[number])
        if tell:
            tell(done, rows[number].name)
    if not costs:
        raise RunError(f"{rows[0].name} cannot be trained: {failure}")
    return costs


def plan_within(settings: VerdictCommand, fields: Sequence[Field], costs: dict[str, Cost], jobs: int) -> Plan:
    """All that is asked for, and less of it until it fits into the hours.

    First the other recipes are not ranked on the test part, then trials go, then p-RNNs, the last first, then recipes.
    Raises `UserError` where one recipe and one p-RNN do not fit.
    """
    seeds, most = settings.looks[0], 3600 * settings.hours
    whole = Plan(
        list(settings.recipes),
        list(settings.rows),
        settings.trials if free_space(settings) else 1,
        len(settings.recipes) > 1,
        jobs,
        costs,
        [],
    )
    plan = whole
    while plan.total_s(fields, seeds) > most:
        if plan.compares:
            plan = replace(plan, compares=False)
        elif plan.trials > 1:
            plan = replace(plan, trials=plan.trials - 1)
        elif len(plan.rows) > 1:
            plan = replace(plan, rows=plan.rows[:-1])
        elif len(plan.recipes) > 1:
            plan = replace(plan, recipes=plan.recipes[:-1])
        else:
            needed = shown_duration(plan.total_s(fields, seeds))
            raise UserError(
                f"hours={settings.hours:g} is too little: {plan.rows[0]} by recipe={plan.recipes[0]} with its "
                f"controls, placebos and {seeds} seeds takes about {needed} here; give more hours, fewer "
                "epochs or looks=[2]"
            )
    return replace(plan, left_out=_left_out(whole, plan))


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
    for row in (row for field in kept for row in field.rows):
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
        lines.append(f"Left out for want of time: {'; '.join(plan.left_out)}")
    return lines


def seconds_of_test(trainer: Trainer, runs: Sequence[VerdictRun]) -> float:
    """The seconds that runs on the test part will take, by what their networks took on the hold-out.

    A run trains there as long as on the hold-out, and, where that chose the epochs, once more for those.
    """
    return sum(_seconds_of(trainer, run.row) for run in runs) / trainer.jobs


def _seconds_of(trainer: Trainer, row: VerdictRow) -> float:
    run = VerdictRun(row.original, HOLD_OUT, 1)
    metrics = trainer.folder_of(run).metrics()
    refit = metrics["train"]["seconds"] if metrics["select"]["select"] == "best" else 0.0
    # Of a run that ended while the verdict was stopped nobody noted the time.
    once = trainer.took.get(run.key, metrics.get("selecting", metrics["train"])["seconds"])
    return float(once + refit)
