"""Folders of finished runs, as small as a table can be made of: two sessions, four predicted events."""

from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from omegaconf import OmegaConf

from prnn_cli.origin import Origin
from prnn_cli.reporting.comparison import Comparison
from prnn_cli.reporting.event_values import EVENT
from prnn_cli.reporting.runs import FinishedRun, Row, read_run
from prnn_cli.run_folder import METRICS
from prnn_cli.schema import TableConfig
from prnn_cli.system.files import hash_of, write_json, write_text

EVENTS = pd.DataFrame([(0, 1, 5, 10), (0, 2, 6, 3), (0, 3, 5, 10), (1, 1, 6, 3)], columns=[*EVENT, "support"])
ALL_FIRST, HALF = [1, 1, 1, 1], [1, 30, 1, 30]  # ranks of these events


def table_config(**changes: Any) -> TableConfig:
    settings = {"gain_over": None, "parameters": False, "events_per_s": False, "published": False}
    return TableConfig(**(settings | {"figures": True, "resamples": 200, "confidence": 0.95} | changes))


def metrics_of(ranks: list[int]) -> dict[str, float]:
    hits = [rank for rank in ranks if rank <= 20]
    return {
        "recall@20": len(hits) / len(ranks),
        "mrr@20": sum(1 / rank for rank in hits) / len(ranks),
        "tie_rate": 0.0,
    }


def write_run(
    folder: Path,
    ranks: list[int],
    config: dict[str, Any] | None = None,
    events: pd.DataFrame = EVENTS,
    **changes: Any,
) -> Path:
    """ranks: of the events by the network; the baselines rank each of them second."""
    item_knn = [2] * len(events)
    described = {"arch": "id_only", "row": None, "label": None, "seed": 42, "hidden_size": "100"}
    described |= {"strategy": "simultaneous", "epochs": 10, "experiment": None, "features": "none"}
    described |= {"dataset": "tiny", "data_hash": "d", "num_parameters": 1000, "versions": {}}
    described |= {"part": "test", "candidates": "all", "tie_break": "conservative", "cutoffs": [20]}
    described |= {
        "format": METRICS.number,
        "metrics": ["recall", "mrr"],
        "labels": {"item_knn": "Item-kNN"},
        "gain_over": "item_knn",
    }
    described |= {"baseline_options": {"item_knn": {"num_neighbours": 100}}}
    described["train"] = {"events_per_s": 1000.0, "epochs": {"id": 10}, "updates": 500}
    metrics = {**described, **metrics_of(ranks), "num_test_events": len(events)}
    metrics |= {"baselines": {"item_knn": metrics_of(item_knn)}} | changes
    stored = {
        "epochs": metrics["epochs"],
        "seed": metrics["seed"],
        "row": metrics["row"],
        "label": metrics["label"],
    }
    stored |= {"arch": {"name": metrics["arch"]}, "subnets": {"id": {"hidden_size": metrics["hidden_size"]}}}
    stored |= config or {}
    origin = Origin.of(OmegaConf.create(stored), metrics["data_hash"], "items", {}, metrics.pop("code", {}))
    metrics = {"origin": origin.as_json()} | metrics
    write_json(folder / "status.json", {"status": "done", "command": "train"})
    write_text(folder / ".hydra" / "config.yaml", yaml.safe_dump(stored))
    kept = events.assign(rank_network=ranks, **{f"rank_{name}": item_knn for name in metrics["baselines"]})
    kept.to_parquet(folder / "ranks.parquet", index=False)
    metrics["files"] = {"ranks.parquet": hash_of(None, [folder / "ranks.parquet"])}
    write_json(folder / "metrics.json", metrics)
    return folder


def trained(updates: int | None, **epochs: int) -> dict[str, Any]:
    """The part of metrics.json that says how long a run was trained; older runs kept no updates."""
    length = {} if updates is None else {"updates": updates, "epochs": epochs or {"id": 10}}
    return {"events_per_s": 1000.0} | length


def write_epochs(run: FinishedRun, history: pd.DataFrame) -> None:
    """Writes the run's epochs.csv, as if it had ended with it."""
    path = run.folder / "epochs.csv"
    history.to_csv(path, index=False)
    run.metrics["files"][path.name] = hash_of(None, [path])


def cells(folder: Path) -> dict[str, list[str]]:
    """The first table of table.md: method -> its cells."""
    text = (folder / "table.md").read_text()
    lines = [
        line for line in text.partition("\n\n")[2].partition("\n\n")[0].splitlines() if line.startswith("|")
    ]
    return {
        name.strip(): [cell.strip() for cell in rest]
        for _, name, *rest, _ in (line.split("|") for line in lines)
    }


def three_rows(folder: Path) -> Comparison:
    """Two ID-only rows, and a p-RNN that is better than both."""
    weak = read_run(write_run(folder / "a", [1, 30, 30, 30]))
    strong = read_run(write_run(folder / "b", [1, 30, 1, 30]))
    best = read_run(write_run(folder / "c", [1, 1, 1, 30], arch="parallel", hidden_size="8+8"))
    rows = [Row("weak", runs=[weak]), Row("strong", runs=[strong]), Row("p-RNN", runs=[best])]
    return Comparison(rows, table_config())
