"""What a finished run leaves: metrics.json, results.md, results.csv, ranks.parquet."""

import logging
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prnn_cli import __version__
from prnn_cli.evaluation.ranking import Ranks, metrics
from prnn_cli.evaluation.ties import rank
from prnn_cli.reporting.tables import gain, markdown, results_table, run_name, show
from prnn_cli.run_folder import read_json
from prnn_cli.schema import EvaluationConfig
from prnn_cli.system.files import atomic_write, write_json, write_text

PAPERS_CUTOFF = 20  # always measured, so that runs compare
TIES_TO_WARN_OF = 0.01  # of the network's events
PACKAGES = ("torch", "numpy", "pandas", "scipy", "hydra-core")

log = logging.getLogger(__name__)


def all_cutoffs(config: EvaluationConfig) -> list[int]:
    return sorted({*config.cutoffs, PAPERS_CUTOFF})


def measured(ranks: dict[str, Ranks], config: EvaluationConfig) -> dict[str, Any]:
    """The part of metrics.json that the ranks decide."""
    values = {name: metrics(ranks[name], all_cutoffs(config), config.tie_break) for name in ranks}
    num_events = {name: int(method.pop("num_events")) for name, method in values.items()}
    network = values.pop("network")
    item_knn = values["item_knn"]
    return {
        "num_test_events": num_events["network"],
        "part": config.part,
        "cutoffs": config.cutoffs,
        "candidates": config.candidates,
        "tie_break": config.tie_break,
        **network,
        "baselines": values,
        "gain": {key: gain(network[key], item_knn[key]) for key in network if "@" in key},
    }


def environment() -> dict[str, Any]:
    versions = {"python": platform.python_version(), "prnn": __version__} | {
        name: version(name) for name in PACKAGES
    }
    return {"versions": versions, "git_commit": _git_commit()}


def warn_of_ties(results: Mapping[str, Any]) -> None:
    """Where many candidates score exactly as the target, which mode breaks ties decides the metrics."""
    if results["tie_rate"] > TIES_TO_WARN_OF:
        log.warning(
            "%.1f%% of the events have candidates that score exactly as the target, more than %.0f%%: recall and MRR "
            "depend on evaluation.tie_break=%s; where scores are saturated, lower recipe.learning_rate or set "
            "recipe.activation=linear",
            *(100 * results["tie_rate"], 100 * TIES_TO_WARN_OF, results["tie_break"]),
        )


def write_results(
    folder: Path, results: dict[str, Any], ranks: dict[str, Ranks], support: np.ndarray
) -> None:
    """support: (num_items,) training events of each item"""
    runs = {run_name(results): results}
    write_text(folder / "results.md", f"{markdown(results_table(runs))}\n{footer(results)}\n")
    _write_csv(folder / "results.csv", _plain_rows(runs))
    with atomic_write(folder / "ranks.parquet") as temporary:
        ranks_frame(ranks, results["tie_break"], support).to_parquet(temporary, index=False)
    # Last, as its presence says that the others are whole.
    write_json(folder / "metrics.json", results)


def show_results(folder: Path) -> None:
    results = read_json(folder / "metrics.json")
    show(results_table({run_name(results): results}), title=results["dataset"])
    print(footer(results))
    print(f"written to {folder}")


def footer(results: dict[str, Any]) -> str:
    return (
        f"Gains over item-kNN in parentheses; {results['num_test_events']:,} {results['part']} events, "
        f"candidates: {results['candidates']}, ties: {results['tie_break']}."
    )


def ranks_frame(ranks: dict[str, Ranks], tie_break: str, support: np.ndarray) -> pd.DataFrame:
    """A row for each predicted event: session_index, position in the session, item_index, its support in training,
    a rank for each method."""
    events = ranks["network"]
    frame = pd.DataFrame(
        {"session_index": events.session, "position": events.position, "item_index": events.target}
    )
    frame["support"] = support[events.target]
    for name, method in ranks.items():
        frame[f"rank_{name}"] = rank(method.better, method.equal, tie_break)
    return frame


def _plain_rows(runs: Mapping[str, dict[str, Any]]) -> pd.DataFrame:
    """Numbers without decoration; the baselines once for each run."""
    rows = []
    for name, run in runs.items():
        methods = {"network": run} | run["baselines"]
        for method, values in methods.items():
            rows.append(
                {"run": name}
                | {key: run[key] for key in ("label", "dataset", "arch", "strategy", "hidden_size", "seed")}
                | {"method": method}
                | {key: values[key] for key in values if "@" in key or key == "tie_rate"}
            )
    return pd.DataFrame(rows)


def _write_csv(path: Path, frame: pd.DataFrame) -> None:
    with atomic_write(path) as temporary:
        frame.to_csv(temporary, index=False)


def _git_commit() -> str | None:
    """Of the checkout that prnn runs from; None where it was installed."""
    checkout = Path(__file__).resolve().parents[3]
    if not (checkout / ".git").exists():
        return None
    command = ["git", "-C", str(checkout), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
