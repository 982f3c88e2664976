"""All that is known once a verdict is reached: what was planned, trained and judged, and what it cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from prnn_cli.data.parts import unknown_in_training
from prnn_cli.schema import VerdictCommand
from prnn_cli.verdict.claims import Claim
from prnn_cli.verdict.judging import Judgement
from prnn_cli.verdict.planning import Plan
from prnn_cli.verdict.rows import TEST, VerdictRow, VerdictRun
from prnn_cli.verdict.trainer import Trainer


@dataclass(frozen=True)
class Findings:
    """What a verdict has found.

    tried: the rows that the hold-out chose from; covered: which items have features, (num_items,) bool
    """

    settings: VerdictCommand
    plan: Plan
    trainer: Trainer
    judgement: Judgement
    tried: Sequence[VerdictRow]
    covered: np.ndarray

    @property
    def claims(self) -> list[Claim]:
        return self.judgement.claims

    @property
    def network(self) -> VerdictRow:
        return self.judgement.chosen.network

    @property
    def control(self) -> VerdictRow:
        return self.judgement.chosen.control

    @property
    def seeds(self) -> int:
        return len(self.judgement.values[self.network])

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """A line for each row that was trained: its metric on the hold-out, and on the test part by seed."""
        metric, trainer = self.settings.metric, self.trainer
        seeds = range(1, self.settings.looks[-1] + 1)
        lines = []
        for row in dict.fromkeys([*self.tried, *self.judgement.chosen.compared]):
            on_hold_out = VerdictRun.on_hold_out(row)
            values = [trainer.measured(VerdictRun(row, TEST, seed), metric) for seed in seeds]
            lines.append(
                {
                    "name": row.name,
                    "overrides": list(row.arguments),
                    "hold_out": trainer.measured(on_hold_out, metric),
                    "test": [value for value in values if value is not None],
                    **self._last_run(row),
                }
            )
        return lines

    def _last_run(self, row: VerdictRow) -> dict[str, Any]:
        """The epochs, parameters and seconds of training of a row's first run that is finished."""
        for run in (VerdictRun(row, TEST, 1), VerdictRun.on_hold_out(row)):
            if self.trainer.is_finished(run):
                metrics = self.trainer.folder_of(run).metrics()
                return {
                    "epochs": metrics["selected_epochs"],
                    "num_parameters": metrics["num_parameters"],
                    "seconds": metrics["train"]["seconds"],
                }
        return {"epochs": [], "num_parameters": None, "seconds": None}

    @cached_property
    def cost(self) -> dict[str, float]:
        """What the p-RNN takes more than IDs alone: how many times as long to train, and as many parameters."""
        network, control = (self._last_run(row) for row in (self.network, self.control))
        return {
            "training": network["seconds"] / max(1e-9, control["seconds"]),
            "parameters": network["num_parameters"] / control["num_parameters"],
        }

    def metrics_of(self, row: VerdictRow) -> dict[str, Any]:
        """The metrics.json of the row's first run on the test part."""
        return self.trainer.folder_of(VerdictRun(row, TEST, 1)).metrics()

    @property
    def unranked_clicks(self) -> int:
        """The clicks of the test part on items that training does not have, which no network here can rank."""
        metrics = self.metrics_of(self.network)
        return int(metrics["data"]["dropped"].get(unknown_in_training("test"), 0))
