"""Which finished runs compare with each other, and why others do not."""

from collections.abc import Sequence
from typing import Any

from prnn_cli.reporting.runs import FinishedRun


def reasons_apart(run: FinishedRun, other: FinishedRun) -> str:
    """A sentence that says why two runs don't compare; empty for windows of one log, whose headings say it."""
    if None not in (run.window, other.window) and run.window != other.window:
        return ""
    keys = {"data_hash": "prepared data", "part": "part", "num_test_events": "number of events"}
    keys |= {"candidates": "candidates", "tie_break": "tie mode"}
    reasons = [
        f"{name} {run.metrics[key]} instead of {other.metrics[key]}"
        for key, name in keys.items()
        if run.metrics[key] != other.metrics[key]
    ]
    return f"Set apart: {', '.join(reasons) or 'other baselines, or other options of theirs'}."


def comparable_sets(runs: Sequence[FinishedRun]) -> list[list[FinishedRun]]:
    """Sets of runs that compare with each other, the largest first, windows of a log in their order."""
    sets: dict[tuple[Any, ...], list[FinishedRun]] = {}
    for run in runs:
        sets.setdefault(run.ranked_as, []).append(run)
    return sorted(sets.values(), key=lambda runs: (-len(runs), runs[0].window or 0))
