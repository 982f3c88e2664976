"""The choice by the hold-out of what is judged: screening of all networks, then trials of the best of each kind."""

from collections.abc import Callable, Sequence
from typing import Any

from prnn_cli.errors import RunError
from prnn_cli.run_folder import read_json
from prnn_cli.schema import VerdictCommand
from prnn_cli.system.files import write_json
from prnn_cli.verdict.judging import Chosen
from prnn_cli.verdict.planning import Plan
from prnn_cli.verdict.rows import VerdictRow, VerdictRun
from prnn_cli.verdict.setting_up import Field, trials_of
from prnn_cli.verdict.trainer import Trainer

CHOSEN = "chosen.json"  # what the hold-out chose, once for all

Train = Callable[[Sequence[VerdictRun]], None]


def choose(
    settings: VerdictCommand, trainer: Trainer, fields: Sequence[Field], plan: Plan, train: Train
) -> tuple[Chosen, list[VerdictRow]]:
    """The networks that the hold-out chooses, and all that it chose from.

    All are trained once by their recipe's settings; the best of each kind then with drawn ones as often as the plan has
    trials. A resumption keeps to what was chosen first.
    Raises `RunError` where a network of IDs failed, without which the features would have it easier, or all p-RNNs did.
    """
    file, screened = trainer.folder / CHOSEN, [row for field in fields for row in field.rows]
    found: dict[str, Any] = read_json(file) if file.is_file() else {}
    by_key = {row.key: row for row in screened}
    if not found:
        train([VerdictRun.on_hold_out(row) for row in screened])
        _refuse_failed_controls(trainer, screened)
        found = {"tried": [_best(settings, trainer, screened, kind).key for kind in (False, True)]}
        write_json(file, found)
    trials = [trial for key in found["tried"] for trial in trials_of(settings, by_key[key], plan.trials)]
    everything = [*screened, *trials]
    by_key |= {row.key: row for row in trials}
    if "network" not in found:
        train([VerdictRun.on_hold_out(row) for row in trials])
        found |= _names(settings, trainer, everything, fields)
        write_json(file, found)
    others = [(by_key[network], by_key[control]) for network, control in found["others"]]
    chosen = Chosen(by_key[found["network"]], by_key[found["control"]], others if plan.compares else [])
    return chosen, everything


def _names(
    settings: VerdictCommand, trainer: Trainer, rows: Sequence[VerdictRow], fields: Sequence[Field]
) -> dict[str, Any]:
    network, control = (_best(settings, trainer, rows, kind) for kind in (True, False))
    others = []
    for field in fields:
        own = [row for row in rows if row.recipe == field.recipe]
        if field.recipe != network.recipe and _finished(trainer, own, True):
            others.append([_best(settings, trainer, own, kind).key for kind in (True, False)])
    return {"network": network.key, "control": control.key, "others": others}


def _refuse_failed_controls(trainer: Trainer, rows: Sequence[VerdictRow]) -> None:
    for row in rows:
        reason = trainer.failures.get(VerdictRun.on_hold_out(row).key)
        if reason and not row.has_features:
            raise RunError(f"{row.name} could not be trained: {reason}; mend it, and resume")


def _finished(trainer: Trainer, rows: Sequence[VerdictRow], has_features: bool) -> list[VerdictRow]:
    return [
        row
        for row in rows
        if row.has_features is has_features and trainer.is_finished(VerdictRun.on_hold_out(row))
    ]


def _best(
    settings: VerdictCommand, trainer: Trainer, rows: Sequence[VerdictRow], has_features: bool
) -> VerdictRow:
    """The row of a kind with the highest metric. Raises `RunError` where all failed."""
    finished = _finished(trainer, rows, has_features)
    if not finished:
        failed = [row for row in rows if row.has_features is has_features]
        reason = trainer.failures[VerdictRun.on_hold_out(failed[0]).key]
        raise RunError(f"none of {', '.join(row.name for row in failed)} could be trained: {reason}")
    return max(
        finished, key=lambda row: trainer.measured(VerdictRun.on_hold_out(row), settings.metric) or 0.0
    )
