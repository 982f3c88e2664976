"""A forecast of a run beside what the run then takes, each in a process of its own."""

import tempfile
from pathlib import Path
from typing import Any

from prnn_cli.errors import RunError
from prnn_cli.run_folder import RunFolder, read_json
from prnn_cli.schema import ForecastCase
from prnn_cli.system import forked


def forecast_row(case: ForecastCase, cache_dir: str) -> dict[str, Any]:
    """The seconds that `prnn train` takes with the case's overrides, and those that `--plan` said.

    Raises `RunError` where it cannot be run.
    """
    with tempfile.TemporaryDirectory(prefix="prnn-bench-") as name:
        folder = Path(name)
        shared = ["train", *case.overrides, f"cache_dir={cache_dir}"]
        _run([*shared, f"plan={folder / 'plan.json'}", f"hydra.run.dir={folder / 'plan'}"], folder)
        seconds = _run([*shared, f"hydra.run.dir={folder / 'run'}"], folder)
        expected = read_json(folder / "plan.json")["seconds"]
        training = RunFolder(folder / "run").metrics()["train"]
    return {
        "what": f"a run with {' '.join(case.overrides)}",
        "seconds": seconds,
        "forecast_s": expected,
        "events_per_s": training["events_per_s"],
    }


def _run(arguments: list[str], folder: Path) -> float:
    """The seconds that a command line of prnn takes in a process of its own."""
    log = folder / "log"
    ((_, ended),) = forked.side_by_side([lambda: forked.start(forked.run_prnn, (arguments,), log)], jobs=1)
    if ended.exit_code:
        raise RunError(f"prnn {' '.join(arguments)} failed: {log.read_text().strip().splitlines()[-1]}")
    return ended.seconds
