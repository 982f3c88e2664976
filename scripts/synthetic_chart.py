"""Table 1 of the generated logs vidxl_like and class_like at several scales, and a chart of their lengths and supports.

Runs `prnn preprocess` for each into FOLDER (removed by nobody: at scale 1 it takes gigabytes) and writes there
table.md, with the time and the peak memory of the largest process, and synthetic.png. Needs matplotlib.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pyarrow.parquet as pq

matplotlib.use("Agg")
import matplotlib.pyplot as plt

PAPER = {  # Table 1 of the paper
    "vidxl_like": {"name": "VIDXL", "sessions": 17_419_964, "events": 69_312_698, "items": 712_824},
    "class_like": {"name": "CLASS", "sessions": 1_173_094, "events": 9_011_321, "items": 339_055},
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scales", nargs="+", default=["0.01", "0.1"])
    parser.add_argument("--datasets", nargs="+", default=list(PAPER), choices=list(PAPER))
    options = parser.parse_args()

    # All are measured before this process takes memory, which would count as theirs.
    runs = {
        (name, scale): options.folder / f"{name}-{scale}"
        for name in options.datasets
        for scale in options.scales
    }
    measured = {key: prepared(run, *key) for key, run in runs.items()}
    rows = []
    figure, axes = plt.subplots(
        len(options.datasets), 2, figsize=(11, 3.8 * len(options.datasets)), squeeze=False
    )
    for name, (left, right) in zip(options.datasets, axes, strict=True):
        for scale in options.scales:
            run = runs[name, scale]
            rows.append(table_row(name, scale, run, measured[name, scale]))
            lengths, supports = lengths_and_supports(run)
            draw(left, lengths, f"scale {scale}: mean {lengths.mean():.2f}")
            draw(right, supports, f"scale {scale}: mean {supports.mean():.1f}")
        paper = PAPER[name]
        finish(left, f"{name}: events a session", paper["name"], paper["events"] / paper["sessions"])
        finish(right, f"{name}: events an item (support)", paper["name"], paper["events"] / paper["items"])
    figure.tight_layout()
    figure.savefig(options.folder / "synthetic.png", dpi=110)
    table = "\n".join("| " + " | ".join(row) + " |" for row in [list(rows[0]), ["---"] * len(rows[0])])
    table += "\n" + "\n".join("| " + " | ".join(row.values()) + " |" for row in rows) + "\n"
    (options.folder / "table.md").write_text(table)
    print(table)


def prepared(run: Path, name: str, scale: str) -> dict[str, float]:
    """Seconds and GiB of `prnn preprocess`, which is not run again where it is done."""
    file = run / "cost.json"
    if not file.exists():
        command = [
            sys.executable,
            "-m",
            "prnn_cli",
            "preprocess",
            f"dataset={name}",
            f"dataset.scale={scale}",
        ]
        command += [f"cache_dir={run / 'cache'}", f"hydra.run.dir={run}"]
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            sys.exit(f"{' '.join(command)} ended with status {status}")
        cost = {"seconds": time.perf_counter() - started, "gib": usage.ru_maxrss / 2**20}
        file.write_text(json.dumps(cost))
    figures: dict[str, float] = json.loads(file.read_text())
    return figures


def table_row(name: str, scale: str, run: Path, cost: dict[str, float]) -> dict[str, str]:
    summary = json.loads((run / "summary.json").read_text())
    paper, train, test = PAPER[name], summary["train"], summary["test"]
    found = {"sessions": train["sessions"], "events": train["events"], "items": summary["items"]}
    furthest = max((found[key] / (paper[key] * float(scale)) - 1 for key in found), key=abs)
    return {
        "dataset": name,
        "scale": scale,
        "train sessions": f"{train['sessions']:,}",
        "train events": f"{train['events']:,}",
        "test sessions": f"{test['sessions']:,}",
        "test events": f"{test['events']:,}",
        "items": f"{summary['items']:,}",
        "furthest from Table 1": f"{furthest:+.1%}",
        "time": f"{cost['seconds']:.0f} s",
        "peak memory": f"{cost['gib']:.1f} GiB",
    }


def lengths_and_supports(run: Path) -> tuple[np.ndarray, np.ndarray]:
    """Of the training part."""
    table = pq.read_table(run / "events.parquet", columns=["session_index"], filters=[("part", "=", "train")])
    lengths = np.bincount(table["session_index"].to_numpy())
    supports = pd.read_parquet(run / "items.parquet").support.to_numpy()
    return lengths[lengths > 0], supports


def draw(axis: Any, values: np.ndarray, label: str) -> None:
    """The share of values that are at least x."""
    counts = np.bincount(values)
    at_least = counts[::-1].cumsum()[::-1] / len(values)
    x = np.flatnonzero(counts)
    axis.loglog(x, at_least[x], label=label)


def finish(axis: Any, title: str, paper: str, mean: float) -> None:
    axis.axvline(mean, color="black", linestyle=":", label=f"{paper} in the paper: mean {mean:.3g}")
    axis.set(title=title, xlabel="events", ylabel="share that has as many")
    axis.legend()


if __name__ == "__main__":
    main()
