"""prnn verdict: do the items' features help on this log? -> verdict.json, verdict.md."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prnn_cli.commands import Command
from prnn_cli.commands.train import Train
from prnn_cli.data.prepare import prepare
from prnn_cli.errors import RunError, UserError
from prnn_cli.evaluation.metrics import check_measured
from prnn_cli.reporting.terminal import say
from prnn_cli.run_folder import RunFolder, read_json
from prnn_cli.schema import VerdictCommand
from prnn_cli.system.files import write_json
from prnn_cli.system.progress import console
from prnn_cli.verdict.claims import CANNOT_TELL, Claim
from prnn_cli.verdict.judging import LEAST_SESSIONS, NUM_CLAIMS, claims_of, table_of
from prnn_cli.verdict.report import FILE, show_verdict, write_verdict
from prnn_cli.verdict.rows import HOLD_OUT, PLACEBOS, TEST, Trainer, VerdictRow, VerdictRun, placebo_rows
from prnn_cli.verdict.setting_up import check_given, rows_of, trainer_of

CHOSEN = "chosen.json"  # what the hold-out chose, once for all


class Verdict(Command):
    """The command `prnn verdict`."""

    options = VerdictCommand

    def check(self, settings: VerdictCommand) -> None:
        Train().check(settings)
        check_measured("metric", settings.metric, settings.evaluation)
        if not settings.features.sources:
            raise UserError(
                f"features={settings.features.name} has none to judge; choose some, such as features=text"
            )
        check_given()
        rows_of(settings)

    def run(self, settings: VerdictCommand, folder: RunFolder) -> None:
        controls, candidates = rows_of(settings)
        if settings.plan:
            tell_plan(settings, [*controls, *candidates])
            return
        check_enough_sessions(settings)
        started, trainer = time.monotonic(), trainer_of(settings, folder)
        folder.write_status("running", stage="choosing on the hold-out")
        trials = [VerdictRun(row, HOLD_OUT, 1) for row in [*controls, *candidates]]
        train_all(trainer, trials)
        network, control = chosen(trainer, trials, settings.metric)
        placebos = placebo_rows(network)
        rows = [network, control, *placebos]
        claims: list[Claim] = []
        num_seeds = 0
        for num_seeds in settings.looks:
            seeds = range(1, num_seeds + 1)
            folder.write_status("running", stage=f"training {num_seeds} seeds of each")
            train_all(trainer, [VerdictRun(row, TEST, seed) for seed in seeds for row in rows])
            claims = claims_of(settings, trainer, network, control, placebos, seeds)
            is_spent = time.monotonic() - started > 3600 * settings.hours
            if claims[0].answer != CANNOT_TELL or is_spent:
                break
        facts = {
            "metric": settings.metric,
            "seeds": num_seeds,
            "hours": (time.monotonic() - started) / 3600,
            "network": network.name,
            "control": control.name,
            "level": settings.level,
            "looks": list(settings.looks),
            "interest": settings.interest,
            "num_claims": NUM_CLAIMS,
            "failures": trainer.failures,
            "placebo_effect": claims[0].beside[0].value,
        }
        write_verdict(folder.path, claims, network.name, facts, table_of(trainer, trials, rows, settings))

    def show_result(self, folder: RunFolder) -> None:
        if (folder.path / FILE).is_file():  # which a plan leaves none of
            show_verdict(folder.path)


def check_enough_sessions(settings: VerdictCommand) -> None:
    """Raises `UserError` for a log whose test part has too few sessions to tell anything."""
    number = prepare(settings.dataset, Path(settings.cache_dir)).test.num_sessions
    if number < LEAST_SESSIONS:
        raise UserError(
            f"the test part has {number} sessions, and a verdict needs {LEAST_SESSIONS} or more to tell anything; make "
            "it longer (dataset.test_days)"
        )


def tell_plan(settings: VerdictCommand, trials: Sequence[VerdictRow]) -> None:
    """Prints what would be trained."""
    first, last = settings.looks[0], settings.looks[-1]
    num_rows = 2 + len(PLACEBOS)
    say(f"on the hold-out, once each: {', '.join(row.name for row in trials)}")
    say(
        f"on the test part, {first} seeds each: the best of the networks of IDs, the best p-RNN, and the same with "
        f"{len(PLACEBOS)} placebos; up to {last} seeds while it cannot be told and {settings.hours:g} hours have not "
        "passed"
    )
    say(f"{len(trials) + first * num_rows} to {len(trials) + last * num_rows} trainings")


def train_all(trainer: Trainer, runs: Sequence[VerdictRun]) -> None:
    """Trains the runs that are not finished, and says how each ended."""
    for done, run in enumerate(trainer.train(runs), 1):
        failure = trainer.failures.get(run.key)
        told = f"failed: {failure}" if failure else "done"
        console.print(
            f"{done} of {len(runs)}: {run.row.name}, {run.part}, seed {run.seed}: {told}", markup=False
        )


def chosen(trainer: Trainer, trials: Sequence[VerdictRun], metric: str) -> tuple[VerdictRow, VerdictRow]:
    """The best p-RNN and the best network of IDs, as they were chosen first: a resumption must not choose anew.

    Raises `RunError` where a network of IDs failed, without which the features would have it easier, or all p-RNNs did.
    """
    controls = [run for run in trials if not run.row.has_features]
    for run in controls:
        if run.key in trainer.failures:
            raise RunError(
                f"{run.row.name} could not be trained: {trainer.failures[run.key]}; mend it, and resume"
            )
    file, rows = trainer.folder / CHOSEN, {run.row.key: run.row for run in trials}
    if not file.is_file():
        with_features = [run for run in trials if run.row.has_features]
        names = {
            "network": best(trainer, with_features, metric).key,
            "control": best(trainer, controls, metric).key,
        }
        write_json(file, names)
    found: dict[str, Any] = read_json(file)
    return rows[found["network"]], rows[found["control"]]


def best(trainer: Trainer, runs: Sequence[VerdictRun], metric: str) -> VerdictRow:
    """The row of the highest metric. Raises `RunError` where all failed."""
    finished = [run for run in runs if run.key not in trainer.failures]
    if not finished:
        raise RunError(
            f"none of {', '.join(run.row.name for run in runs)} could be trained: {trainer.failures[runs[0].key]}"
        )
    return max(finished, key=lambda run: trainer.folder_of(run).metrics()[metric]).row


COMMANDS = {"verdict": Verdict()}
