"""What a sweep, or a search, will take on this machine: the time and the memory of each run, and of all, in a table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prnn_cli.experiment.forecast import ASSUMED_EPOCHS
from prnn_cli.jobs.sweep import Sweep
from prnn_cli.reporting.table_formats import TextTable
from prnn_cli.reporting.terminal import say, show
from prnn_cli.system.durations import shown_duration, side_by_side_s
from prnn_cli.system.files import write_json

HEADINGS = ["run", "epochs", "training", "in all", "memory"]


def tell_plan(sweep: Sweep, forecasts: Mapping[str, Mapping[str, Any]]) -> None:
    """Prints a plan, and writes it into a file where the sweep's plan names one.

    forecasts: by the name of a job, as JSON, or {"failure": why it cannot run}; of a search, those of extreme settings
    """
    known = {name: each for name, each in forecasts.items() if "failure" not in each}
    show(TextTable(HEADINGS, [_cells(name, each) for name, each in known.items()], spare=["training"]))
    for name in forecasts.keys() - known.keys():
        say(f"{name} cannot run: {forecasts[name]['failure']}")
    if not known:
        return
    if any(each["chosen"] for each in known.values()):
        say(f"a hold-out chooses the epochs; {ASSUMED_EPOCHS} and those of patience are assumed")
    baselines = {file: seconds for each in known.values() for file, seconds in each["baselines"].items()}
    own = [each["own_s"] for each in known.values()]
    if sweep.searches:
        least, most = (
            _total(sweep, [pick(each["seconds"] for each in known.values())] * sweep.trials)
            for pick in (min, max)
        )
        say(
            f"{sweep.trials} trials, {sweep.at_a_time} at a time: {shown_duration(least)} to {shown_duration(most)} in "
            "all; less where trials are pruned"
        )
        seconds = most
    else:
        seconds = sum(baselines.values()) + _total(sweep, own)
        shared = f", {shown_duration(sum(baselines.values()))} of it for baselines, once" if baselines else ""
        missing = f" of {len(forecasts)}" if len(known) < len(forecasts) else ""
        runs = f"{len(known)}{missing} {'run' if len(known) == 1 else 'runs'}"
        say(f"{runs}, {sweep.at_a_time} at a time: {shown_duration(seconds)} in all{shared}")
    if isinstance(sweep.plan, str):
        write_json(Path(sweep.plan), {"seconds": seconds, "at_a_time": sweep.at_a_time, "runs": forecasts})


def _total(sweep: Sweep, seconds: list[float]) -> float:
    return side_by_side_s(seconds, sweep.at_a_time)


def _cells(name: str, forecast: Mapping[str, Any]) -> list[str]:
    stages = forecast["stages"]
    patience = f" (+{forecast['patience']})" if forecast["chosen"] else ""
    return [
        name,
        "+".join(str(stage["rounds"]) for stage in stages) + patience,
        shown_duration(sum(stage["rounds"] * stage["round_s"] for stage in stages)),
        shown_duration(forecast["own_s"] or forecast["seconds"]),
        f"{forecast['peak_bytes'] / 1e9:.1f} GB",
    ]
