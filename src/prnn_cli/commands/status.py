"""prnn status run=DIR: reads a run's status.json and says it in words."""

import time
from datetime import timedelta

from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import StatusCommand

WRITES = False


def run(config: StatusCommand) -> None:
    folder = RunFolder.existing(config.run)
    status = folder.status()
    print(f"{folder.path}: {status['status']} (prnn {status['command']})")
    if status["status"] == "dead":
        print(f"  its process {status['pid']} is gone without a word")
    if reason := status.get("reason"):
        print(f"  {reason}")
    if progress := status.get("progress"):
        done, total = progress["events_done"], progress["events_total"]
        print(f"  phase {progress['phase']}, epoch {progress['epoch']}, {progress['learning']} learning")
        print(
            f"  {done:,} of {total:,} events ({done / max(1, total):.0%}), {progress['events_per_s']:,.0f} a second"
        )
        print(f"  loss {progress['loss']:.4f}, {timedelta(seconds=round(progress['seconds_left']))} left")
    print(f"  last heard of {timedelta(seconds=round(time.time() - status['updated']))} ago")
    if folder.checkpoint_file.is_file():
        age = timedelta(seconds=round(time.time() - folder.checkpoint_file.stat().st_mtime))
        print(f"  last checkpoint {age} ago")
    if status["status"] == "dead":
        print(
            "  the command that started it, with resume=true and hydra.run.dir set to this folder, continues it"
        )
