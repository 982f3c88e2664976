"""From the runs of a verdict to its claims, and to the table of all that was trained."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np

from prnn_cli.errors import RunError
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import VerdictCommand
from prnn_cli.verdict.claims import Claim, claim
from prnn_cli.verdict.measures import Events, values_of
from prnn_cli.verdict.rows import TEST, Trainer, VerdictRow, VerdictRun

NUM_CLAIMS = 2  # about all clicks, and about those of rare targets
LEAST_SESSIONS = 30  # below, an interval says next to nothing

log = logging.getLogger(__name__)


def claims_of(
    settings: VerdictCommand,
    trainer: Trainer,
    network: VerdictRow,
    control: VerdictRow,
    placebos: Sequence[VerdictRow],
    seeds: Sequence[int],
) -> list[Claim]:
    """The claims about all events, and about those of the rarest targets. Raises `RunError` where a row failed."""
    rows = [network, control, *placebos]
    folders = {row: _folders(trainer, row, seeds) for row in rows}
    events = Events.of(folders[network][0])
    values = {row: values_of(folders[row], settings.metric, events) for row in rows}
    rare = events.rarest(settings.rare)
    parts = {
        "": np.ones(len(rare), dtype=bool),
        f"the {rare.mean():.0%} of clicks with the rarest targets": rare,
    }
    level = settings.level / NUM_CLAIMS / len(settings.looks)
    claims = []
    for told, which in parts.items():
        sums = {row: events.by_session(each, which) for row, each in values.items()}
        counts = events.by_session(np.ones((1, len(which))), which)[0]
        if len(counts) < LEAST_SESSIONS:
            log.warning(
                "too few sessions have clicks with rare targets to judge these apart: %d", len(counts)
            )
            continue
        opponents = {row.name: sums[row] for row in (control, *placebos)}
        beside = {f"{network.name}, mean of the placebos": np.mean([sums[row] for row in placebos], axis=0)}
        claims.append(claim(told, sums[network], opponents, beside, counts, level, settings.interest))
    return claims


def _folders(trainer: Trainer, row: VerdictRow, seeds: Sequence[int]) -> list[RunFolder]:
    runs = [VerdictRun(row, TEST, seed) for seed in seeds]
    for run in runs:
        if run.key in trainer.failures:
            raise RunError(
                f"{row.name} could not be trained: {trainer.failures[run.key]}; mend it, and add resume=true"
            )
    return [trainer.folder_of(run) for run in runs]


def table_of(
    trainer: Trainer, chosen: Sequence[VerdictRun], rows: Sequence[VerdictRow], settings: VerdictCommand
) -> list[dict[str, Any]]:
    """A line for each row that was trained: its metric on the hold-out, and on the test part by seed."""

    def measured(run: VerdictRun) -> float | None:
        folder = trainer.folder_of(run)
        return float(folder.metrics()[settings.metric]) if folder.metrics_file.is_file() else None

    on_hold_out = {run.row: measured(run) for run in chosen}
    seeds = range(1, settings.looks[-1] + 1)
    by_seed = {
        row: [measured(VerdictRun(row, TEST, seed)) for seed in seeds]
        for row in dict.fromkeys([*on_hold_out, *rows])
    }
    return [
        {
            "name": row.name,
            "overrides": list(row.overrides),
            "hold_out": on_hold_out.get(row),
            "test": [value for value in values if value is not None],
        }
        for row, values in by_seed.items()
    ]
