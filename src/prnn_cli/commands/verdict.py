"""prnn verdict: do the items' features help on this log? -> verdict.json, verdict.md."""

import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from prnn_cli.commands import Command
from prnn_cli.commands.train import Train
from prnn_cli.data.prepare import prepare
from prnn_cli.errors import RunError, UserError
from prnn_cli.evaluation.metrics import check_measured
from prnn_cli.experiment.settings import choices_of
from prnn_cli.extensions import FLAG, files, own_configs
from prnn_cli.reporting.terminal import say
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import AUTO, VerdictCommand
from prnn_cli.system.hardware import select_device
from prnn_cli.system.progress import console
from prnn_cli.verdict.claims import CANNOT_TELL, Claim, claim
from prnn_cli.verdict.measures import Events, values_of
from prnn_cli.verdict.report import FILE, show_verdict, write_verdict
from prnn_cli.verdict.rows import (
    HOLD_OUT,
    TEST,
    Trainer,
    VerdictRow,
    VerdictRun,
    feature_row,
    id_rows,
    placebo_rows,
)

log = logging.getLogger(__name__)

OWN = ("rows", "looks", "hours", "jobs", "metric", "level", "interest", "rare", "plan", "resume")


LEAST_SESSIONS = 30  # of the test part; below, an interval says next to nothing


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
        given = {
            "seeds": settings.seeds > 1,
            "tune": settings.tune,
            "search": settings.search,
            "row": settings.row,
        }
        given |= {"experiment": settings.experiment, "features.placebo": settings.features.placebo}
        if own := [name for name, is_given in given.items() if is_given]:
            raise UserError(
                f"{', '.join(own)}: a verdict says itself what is trained, how often; leave it out"
            )
        known = choices_of("row")
        if unknown := [row for row in settings.rows if row not in known]:
            raise UserError(f"rows=[{','.join(unknown)}] does not exist; choose from {', '.join(known)}")

    def run(self, settings: VerdictCommand, folder: RunFolder) -> None:
        controls, candidates = rows_of(settings)
        if settings.plan:
            tell_plan(settings, controls, candidates)
            return
        check_enough_sessions(settings)
        started, trainer = time.monotonic(), trainer_of(settings, folder)
        folder.write_status("running", stage="choosing on the hold-out")
        chosen = [VerdictRun(row, HOLD_OUT, 1) for row in [*controls, *candidates]]
        train_all(trainer, chosen)
        network = best(trainer, [run for run in chosen if run.row.has_features], settings.metric)
        control = best(trainer, [run for run in chosen if not run.row.has_features], settings.metric)
        rivals = [control, *placebo_rows(network)]
        claims: list[Claim] = []
        num_seeds = 0
        for num_seeds in settings.looks:
            seeds = range(1, num_seeds + 1)
            folder.write_status("running", stage=f"training {num_seeds} seeds of each")
            train_all(trainer, [VerdictRun(row, TEST, seed) for seed in seeds for row in [network, *rivals]])
            claims = claims_of(settings, trainer, network, rivals, seeds)
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
            "num_claims": len(claims),
            "failures": trainer.failures,
            "placebo_effect": claims[0].leads[-1].value,
        }
        write_verdict(
            folder.path, claims, network.name, facts, table_of(trainer, settings, chosen, rivals, network)
        )

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


def rows_of(settings: VerdictCommand) -> tuple[list[VerdictRow], list[VerdictRow]]:
    """The networks of IDs, and the p-RNNs, that the hold-out chooses from."""
    controls = id_rows(settings.units.id, settings.epochs, settings.training.select == "best")
    return controls, [feature_row(row, _label(row)) for row in settings.rows]


def _label(row: str) -> str:
    """What tables call a row, from its config."""
    config = own_configs() / "row" / f"{row}.yaml"
    label = OmegaConf.select(OmegaConf.load(config), "label") if config.is_file() else None
    return str(label or row)


def trainer_of(settings: VerdictCommand, folder: RunFolder) -> Trainer:
    """The trainer of the rows, with what the command line says of prnn train."""
    hydra = HydraConfig.get()
    given = [each for each in hydra.overrides.task if each.lstrip("+~").partition("=")[0] not in OWN]
    sources = [each.path for each in hydra.runtime.config_sources if each.provider == "command-line"]
    shared = [flag for file in files() for flag in (FLAG, file)]
    shared += [flag for path in sources for flag in ("-cd", path)]
    threads = [] if any(each.startswith("hardware.threads=") for each in given) else ["hardware.threads=1"]
    days = settings.dataset.validation_days or settings.dataset.test_days
    hold_out = ["evaluation.part=validation", f"dataset.validation_days={days}"]
    return Trainer(
        folder.path, [*shared, *given, *threads, "checkpoint.keep=never"], hold_out, _jobs(settings)
    )


def _jobs(settings: VerdictCommand) -> int:
    """The trainings at a time: on a CPU one for each core, on a GPU one."""
    if settings.jobs != AUTO:
        return int(settings.jobs)
    return (os.cpu_count() or 1) if select_device(settings.hardware).type == "cpu" else 1


def tell_plan(
    settings: VerdictCommand, controls: Sequence[VerdictRow], candidates: Sequence[VerdictRow]
) -> None:
    """Prints what would be trained."""
    first, last = settings.looks[0], settings.looks[-1]
    num_placebos = len(placebo_rows(candidates[0]))
    num_rows = 2 + num_placebos
    say(f"on the hold-out, once each: {', '.join(row.name for row in [*controls, *candidates])}")
    say(
        f"on the test part, {first} seeds each: the best of the networks of IDs, the best p-RNN, and the same with "
        f"{num_placebos} placebos; up to {last} seeds while it cannot be told and {settings.hours:g} hours have not "
        "passed"
    )
    total = len(controls) + len(candidates)
    say(f"{total + first * num_rows} to {total + last * num_rows} trainings")


def train_all(trainer: Trainer, runs: Sequence[VerdictRun]) -> None:
    """Trains the runs that are not finished, and says how each ended."""
    for done, run in enumerate(trainer.train(runs), 1):
        failure = trainer.failures.get(run.key)
        told = f"failed: {failure}" if failure else "done"
        console.print(
            f"{done} of {len(runs)}: {run.row.name}, {run.part}, seed {run.seed}: {told}", markup=False
        )


def best(trainer: Trainer, runs: Sequence[VerdictRun], metric: str) -> VerdictRow:
    """The row of the highest metric. Raises `RunError` where all failed."""
    finished = [run for run in runs if run.key not in trainer.failures]
    if not finished:
        raise RunError(
            f"none of {', '.join(run.row.name for run in runs)} could be trained: {trainer.failures[runs[0].key]}"
        )
    return max(finished, key=lambda run: trainer.folder_of(run).metrics()[metric]).row


def claims_of(
    settings: VerdictCommand,
    trainer: Trainer,
    network: VerdictRow,
    rivals: Sequence[VerdictRow],
    seeds: Sequence[int],
) -> list[Claim]:
    """The claims about all events, and about those of the rarest targets. Raises `RunError` where a row failed."""

    def folders(row: VerdictRow) -> list[RunFolder]:
        runs = [VerdictRun(row, TEST, seed) for seed in seeds]
        for run in runs:
            if run.key in trainer.failures:
                raise RunError(
                    f"{row.name} could not be trained: {trainer.failures[run.key]}; mend it, and resume"
                )
        return [trainer.folder_of(run) for run in runs]

    events = Events.of(folders(network)[0])
    values = {row.name: values_of(folders(row), settings.metric, events) for row in [network, *rivals]}
    parts = {
        "": np.ones(len(events.frame), dtype=bool),
        f"the {settings.rare:.0%} of clicks with the rarest targets": events.rarest(settings.rare),
    }
    level = settings.level / len(parts) / len(settings.looks)
    claims = []
    for told, which in parts.items():
        sums = {name: events.by_session(each, which) for name, each in values.items()}
        counts = events.by_session(np.ones((1, len(which))), which)[0]
        if len(counts) < LEAST_SESSIONS:
            log.warning(
                "too few sessions have clicks with rare targets to judge these apart: %d", len(counts)
            )
            continue
        own, opponents, beside = opponents_of(sums, network, rivals)
        claims.append(claim(told, own, opponents, beside, counts, level, settings.interest))
    return claims


def opponents_of(
    sums: dict[str, np.ndarray], network: VerdictRow, rivals: Sequence[VerdictRow]
) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The p-RNN's sums; those of the rows that it must lead, of which the placebos count as their mean; and each of
    these placebos."""
    own = sums[network.name]
    placebos = {row.name: sums[row.name] for row in rivals if row.is_placebo}
    opponents = {row.name: sums[row.name] for row in rivals if not row.is_placebo}
    opponents[f"{network.name}, mean of {len(placebos)} placebos"] = np.mean(list(placebos.values()), axis=0)
    return own, opponents, placebos


def table_of(
    trainer: Trainer,
    settings: VerdictCommand,
    chosen: Sequence[VerdictRun],
    rivals: Sequence[VerdictRow],
    network: VerdictRow,
) -> list[dict[str, Any]]:
    """A line for each row that was trained: its metric on the hold-out, and on the test part by seed."""

    def measured(run: VerdictRun) -> float | None:
        folder = trainer.folder_of(run)
        return float(folder.metrics()[settings.metric]) if folder.metrics_file.is_file() else None

    on_hold_out = {run.row: measured(run) for run in chosen}
    rows = dict.fromkeys([*on_hold_out, network, *rivals])
    by_seed = {
        row: [measured(VerdictRun(row, TEST, seed)) for seed in range(1, settings.looks[-1] + 1)]
        for row in rows
    }
    return [
        {
            "name": row.name,
            "overrides": list(row.overrides),
            "hold_out": on_hold_out.get(row),
            "test": [value for value in by_seed[row] if value is not None],
        }
        for row in rows
    ]


COMMANDS = {"verdict": Verdict()}
