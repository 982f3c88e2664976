"""prnn verdict: do the items' features help on this log? -> verdict.json, verdict.md, verdict.html."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from prnn_cli.commands import Command
from prnn_cli.data.prepare import PreparedData, prepare
from prnn_cli.data.splits.rules import advice_on_test_part
from prnn_cli.errors import Stopped, UserError
from prnn_cli.evaluation.methods import ranks_of_baseline
from prnn_cli.evaluation.metrics import check_measured
from prnn_cli.experiment.build import baselines_of
from prnn_cli.experiment.refit import whole
from prnn_cli.features.extract import extract, fetch_needed
from prnn_cli.features.table import FeatureTable
from prnn_cli.reporting.terminal import say
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import AUTO, VerdictCommand
from prnn_cli.system.durations import shown_duration
from prnn_cli.system.files import write_json
from prnn_cli.system.hardware import jobs_at_a_time, select_device
from prnn_cli.system.progress import meter, note
from prnn_cli.verdict.choosing import choose
from prnn_cli.verdict.claims import CANNOT_TELL
from prnn_cli.verdict.findings import Findings
from prnn_cli.verdict.judging import LEAST_SESSIONS, Chosen, Judgement
from prnn_cli.verdict.planning import Plan, costs_of, plan_within, seconds_of_test, told
from prnn_cli.verdict.power import expectation
from prnn_cli.verdict.report import FILE, show_verdict, write_verdict
from prnn_cli.verdict.rows import HOLD_OUT, TEST, VerdictRun
from prnn_cli.verdict.setting_up import (
    Field,
    check_given,
    check_recipes,
    fields_of,
    trainer_of,
    trials_of,
)
from prnn_cli.verdict.trainer import Trainer

PLAN = "plan.json"  # what is trained within the hours, once for all
FEW = 0.5  # of the items with features, below which a warning is due

log = logging.getLogger(__name__)


class Verdict(Command):
    """The command `prnn verdict`."""

    options = VerdictCommand

    def check(self, settings: VerdictCommand) -> None:
        check_measured("metric", settings.metric, settings.evaluation)
        if not settings.features.sources:
            raise UserError(
                f"features={settings.features.name} has none to judge; choose some, such as features=text"
            )
        check_given()
        trials_of(settings, fields_of(settings)[0].controls[0], settings.trials)
        check_recipes(settings)

    def run(self, settings: VerdictCommand, folder: RunFolder) -> None:
        try:
            judge(settings, folder)
        except Stopped as stop:
            goes_on = "" if settings.plan else f"; {folder.how_to_resume}"
            raise Stopped(stop.exit_code - 128, f"stopped{goes_on}") from stop

    def show_result(self, folder: RunFolder) -> None:
        if (folder.path / FILE).is_file():
            show_verdict(folder.path)


def judge(settings: VerdictCommand, folder: RunFolder) -> None:
    """Plans, chooses on the hold-out, judges on the test part, and writes what follows."""
    networks = fields_of(settings)
    data, tables = prepared(settings)
    say(expectation(settings, data))
    plan = planned(settings, folder, networks)
    for line in told(plan, networks, settings.looks):
        say(line)
    if settings.plan:
        if settings.plan is not True:
            write_json(Path(settings.plan), plan.as_json())
        return
    folder.write_status("running", stage="ranking the baselines")
    rank_baselines(settings, data, tables)
    fields, trainer = plan.fields(networks), trainer_of(settings, folder.path, plan.jobs)
    folder.write_status("running", stage="choosing on the hold-out")
    train = partial(train_all, trainer, settings.metric)
    chosen, tried = choose(settings, trainer, fields, plan, train)
    for row in (chosen.control, chosen.network):
        say(f"chosen: {row.name} ({' '.join(row.arguments)})")
    judgement = judged(settings, folder, trainer, chosen)
    write_verdict(folder.path, Findings(settings, plan, trainer, judgement, tried, covered_by(tables)))


def prepared(settings: VerdictCommand) -> tuple[PreparedData, dict[str, FeatureTable]]:
    """The data of the test part, and the features, made once for all trainings.

    Raises `UserError` for a log whose test part has too few sessions to tell anything, or items without features.
    """
    cache_dir = Path(settings.cache_dir)
    fetch_needed(settings.features, cache_dir)
    data = prepare(whole(settings.dataset), cache_dir)
    if data.test.num_sessions < LEAST_SESSIONS:
        raise UserError(
            f"the test part has {data.test.num_sessions} sessions, and a verdict needs {LEAST_SESSIONS} or more to "
            f"tell anything; {advice_on_test_part(settings.dataset)}"
        )
    tables = extract(settings.features, settings.dataset, data, cache_dir, select_device(settings.hardware))
    covered = covered_by(tables)
    if not covered.any():
        raise UserError("no item of the log has features; see prnn features for why")
    if covered.mean() < FEW:
        log.warning("only %d of %d items have features", covered.sum(), len(covered))
    return data, tables


def covered_by(tables: Mapping[str, FeatureTable]) -> np.ndarray:
    """Which items have features of any source, (num_items,) bool."""
    covered: np.ndarray = np.any([table.covered for table in tables.values()], axis=0)
    return covered


def rank_baselines(settings: VerdictCommand, data: PreparedData, tables: Mapping[str, FeatureTable]) -> None:
    """Ranks the baselines, once for all trainings: one that cannot be ranked must not show hours later."""
    device, cache_dir = select_device(settings.hardware), Path(settings.cache_dir)
    for baseline in baselines_of(settings).chosen(data, tables, cache_dir, device):
        ranks_of_baseline(baseline, data, settings.evaluation, device, cache_dir)


def planned(settings: VerdictCommand, folder: RunFolder, fields: Sequence[Field]) -> Plan:
    """The plan within the hours; a resumption keeps to the first one."""
    if (
        not settings.plan
        and (file := folder.path / PLAN).is_file()
        and (plan := Plan.read(file)).is_of(fields)
    ):
        return plan if settings.jobs == AUTO else replace(plan, jobs=int(settings.jobs))
    jobs = jobs_at_a_time(settings.jobs, settings.hardware)
    costs = costs_of(trainer_of(settings, folder.path, jobs), fields, settings)
    plan = plan_within(settings, fields, costs)
    if not settings.plan:
        write_json(folder.path / PLAN, plan.as_json())
    return plan


def judged(settings: VerdictCommand, folder: RunFolder, trainer: Trainer, chosen: Chosen) -> Judgement:
    """Trains the chosen rows on all before the test part, look by look, until it can be told, no more seeds could tell,
    or the hours are over."""
    for number, num_seeds in enumerate(settings.looks):
        seeds = range(1, num_seeds + 1)
        runs = [VerdictRun(row, TEST, seed) for seed in seeds for row in chosen.compared]
        folder.write_status("running", stage=f"training {num_seeds} seeds of each on the test part")
        expected = seconds_of_test(trainer, [run for run in runs if not trainer.is_finished(run)])
        if number and trainer.hours + expected / 3600 > settings.hours:
            note(f"{num_seeds} seeds would take {shown_duration(expected)} more: beyond the hours")
            break
        say(
            f"on the test part, {num_seeds} seeds of {len(chosen.compared)} networks: about {shown_duration(expected)}"
        )
        train_all(trainer, settings.metric, runs)
        judgement = Judgement.of(settings, trainer, chosen, seeds)
        if judgement.claims[0].answer != CANNOT_TELL:
            break
        if judgement.claims_of_more_seeds[0].answer == CANNOT_TELL:
            break
    return judgement


def train_all(trainer: Trainer, metric: str, runs: Sequence[VerdictRun]) -> None:
    """Trains the runs that are not finished; says what the hold-out's reached, and why others failed."""
    is_new = {run: not trainer.is_finished(run) for run in runs}
    with meter("verdict", len(runs)) as progress:
        for done, run in enumerate(trainer.train(runs), 1):
            progress.update(done, run.told)
            value = trainer.measured(run, metric)
            if failure := trainer.failures.get(run.key):
                note(f"{run.told}: failed: {failure}")
            elif run.part == HOLD_OUT and is_new[run] and value is not None:
                note(f"{run.told}: {metric} {value:.4f}, {shown_duration(trainer.took[run.key])}")


COMMANDS = {"verdict": Verdict()}
