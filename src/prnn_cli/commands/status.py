"""prnn status run=DIR: reads how a run, or each run of a sweep, stands, and says it in words."""

import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from prnn_cli.commands import Command
from prnn_cli.errors import UserError
from prnn_cli.reporting.table_formats import TextTable
from prnn_cli.reporting.terminal import say, show
from prnn_cli.run_folder import RunFolder, is_sweep, runs_in
from prnn_cli.schema import StatusCommand

COLUMNS = ("run", "status", "at", "done", "events/s", "left", "heard of", "checkpoint")
SPARE = ["checkpoint", "events/s", "heard of"]  # on a narrow terminal


class Status(Command):
    """The command `prnn status`."""

    options = StatusCommand
    writes = False

    def run(self, settings: StatusCommand, folder: RunFolder) -> None:
        if runs := runs_in(Path(settings.run)):
            _print_sweep(Path(settings.run), runs)
        else:
            _print_run(RunFolder.existing(settings.run))


def _print_run(folder: RunFolder) -> None:
    status = folder.status()
    print(f"{folder.path}: {status['status']} (prnn {status['command']})")
    if status["status"] == "dead":
        print(f"  its process {status.get('pid', '')} is gone without a word")
    if reason := status.get("reason"):
        say(f"  {reason}")
    if stage := status.get("stage"):
        print(f"  {stage}")
    if progress := status.get("progress"):
        done, total = progress["events_done"], progress["events_total"]
        print(f"  phase {progress['phase']}, epoch {progress['epoch']}, {progress['learning']} learning")
        print(
            f"  {done:,} of {total:,} events ({done / max(1, total):.0%}), {progress['events_per_s']:,.0f} a second"
        )
        print(f"  loss {progress['loss']:.4f}, {_seconds(progress['seconds_left'])} left")
    print(f"  last heard of {_since(status['updated'])} ago")
    if folder.checkpoint_files:
        print(f"  last checkpoint {_since(folder.checkpoint_files[0].stat().st_mtime)} ago")
    if status["status"] == "dead":
        print(f"  {folder.how_to_resume}" if status["command"] == "train" else "  run the command again")


def _print_sweep(path: Path, runs: list[RunFolder]) -> None:
    rows = [_row(folder) for folder in runs]
    lines = [[row[column] for column in COLUMNS] for row in rows]
    show(TextTable(list(COLUMNS), lines, "lllrrrrr", spare=SPARE), title=str(path))
    for row in rows:
        if row["why"]:
            say(f"{row['run']}: {row['why']}")
    counts = Counter(row["status"] for row in rows)
    print(f"{len(rows)} runs begun: " + ", ".join(f"{number} {status}" for status, number in counts.items()))
    goes_on = is_sweep(path) or (path / "study.db").is_file()  # Hydra's, or a search
    if goes_on and counts.keys() & {"dead", "failed"}:
        say(f"the sweep's command with resume=true hydra.sweep.dir={path} goes on with what is not done")


def _row(folder: RunFolder) -> dict[str, str]:
    """The cells of a line by column, and under "why" what is wrong with the run."""
    row = dict.fromkeys([*COLUMNS, "why"], "")
    row["run"] = folder.path.name
    try:
        status = folder.status()
    except UserError as damage:
        return row | {"status": "damaged", "why": str(damage)}
    row |= {"status": status["status"], "why": status.get("reason", ""), "at": status.get("stage", "")}
    if progress := status.get("progress"):
        row |= _columns(progress)
    if status["status"] != "done":
        row["heard of"] = f"{_since(status['updated'])} ago"
        if folder.checkpoint_files:
            row["checkpoint"] = f"{_since(folder.checkpoint_files[0].stat().st_mtime)} ago"
    return row


def _columns(progress: dict[str, Any]) -> dict[str, str]:
    return {
        "at": f"phase {progress['phase']}, epoch {progress['epoch']} ({progress['learning']})",
        "done": f"{progress['events_done'] / max(1, progress['events_total']):.0%}",
        "events/s": f"{progress['events_per_s']:,.0f}",
        "left": _seconds(progress["seconds_left"]),
    }


def _since(moment: float) -> str:
    """The time since `moment`; 0 where a clock that was set back puts it into the future."""
    return _seconds(max(0.0, time.time() - moment))


def _seconds(number: float) -> str:
    return str(timedelta(seconds=round(number)))


COMMANDS = {"status": Status()}
