"""Searches the settings of a generated log with which the baselines stand where the paper's Tables have them.

    python scripts/calibrate_generated.py search vidxl_like FOLDER      # 2 rounds of 14 candidates
    python scripts/calibrate_generated.py measure vidxl_like FOLDER     # the settings of configs/, target and reached
    python scripts/calibrate_generated.py search class_like FOLDER \\
        --proxy SMALL.csv LARGE.csv --overrides units.id=300 units.feature=300

Only item-kNN, the networks of IDs and those of features are trained: no p-RNN, whose rows are to be predictions.

A search draws candidates evenly from the ranges of `SETTINGS`, each measured on a log of another
`dataset.profile.seed`, fits a linear model of the logarithms of all figures, and takes the settings for which it comes
nearest to the targets; a further round does so within half the range around them. The log that a user gets, of seed 0,
is none of those of the search. `FOLDER/candidates.csv` keeps what is measured: the same command goes on where it was
cut off.
Where 1000 units take too long, smaller networks stand for them: `--proxy` takes what `measure` found with few and with
1000 units on the same logs, and a search multiplies its figures by their ratio.
"""

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
from omegaconf import OmegaConf
from scipy.optimize import lsq_linear
from scipy.stats import qmc

METRICS = ("recall@20", "mrr@20")
TOLERANCE = 0.05
TABLES = {"vidxl_like": "table2", "class_like": "table4"}
ROWS = {  # that are calibrated, beside item-kNN, which every one of them measures
    "vidxl_like": ("id_only", "id_only_200", "feature_only"),
    "class_like": ("id_only_10_epochs", "feature_only"),
}
ITEMS = {"vidxl_like": 712_824, "class_like": 339_055}  # of Table 1
# what is searched: from, to
SETTINGS = {
    "vidxl_like": {
        "clicks.successor": (0.6, 0.76),
        "clicks.anywhere": (0.16, 0.3),
        "successors.steepness": (2.0, 2.9),
        "successors.of_style": (0.7, 1.0),
        "without_image": (0.2, 0.45),
        "vectors.scatter": (1.5, 4.0),
        "surplus.items": (0.03, 0.35),
    },
    "class_like": {
        "clicks.successor": (0.25, 0.45),
        "clicks.anywhere": (0.25, 0.42),
        "browsing.onward": (0.1, 0.5),
        "successors.steepness": (1.02, 1.25),
        "zipf_exponent": (0.9, 1.4),
        "without_text": (0.0, 0.4),
        "surplus.items": (0.05, 0.4),
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=["search", "measure"])
    parser.add_argument("dataset", choices=list(TABLES))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--candidates", type=int, default=14, help="of each round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="(default: %(default)s)")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], help="of the logs measured (default: 0)")
    parser.add_argument("--scale", type=float, help="of the logs (default: the data set's own)")
    parser.add_argument("--rows", nargs="+", help="(default: all that are calibrated)")
    parser.add_argument("--proxy", nargs=2, type=Path, metavar=("SMALL", "LARGE"), help="files of `measure`")
    parser.add_argument("--jobs", type=int, default=2, help="trainings at once, of a thread each")
    parser.add_argument("--overrides", nargs="+", default=[], help="further ones of prnn train")
    options = parser.parse_args()
    options.rows = options.rows or list(ROWS[options.dataset])
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.task == "measure":
        measure(options)
    else:
        search(options)


def search(options: argparse.Namespace) -> None:
    ranges = SETTINGS[options.dataset]
    low, high = np.array(list(ranges.values())).T
    known = options.folder / "candidates.csv"
    for number in range(options.rounds):
        points = low + (high - low) * qmc.LatinHypercube(len(ranges), seed=number).random(options.candidates)
        seeds = 1 + number * options.candidates + np.arange(options.candidates)
        candidates = [dict(zip(ranges, point.round(4).tolist(), strict=True)) for point in points]
        run_all(options, list(zip(candidates, seeds.tolist(), strict=True)), known)
        candidates_so_far = pd.read_csv(known)
        if options.proxy:
            small, large = (pd.read_csv(path).mean() for path in options.proxy)
            for name in set(target_of(options.dataset)) & set(candidates_so_far):
                candidates_so_far[name] *= large[name] / small[name]
        best = nearest(candidates_so_far, list(ranges), target_of(options.dataset), low, high)
        print(f"round {number + 1}: {dict(zip(ranges, best.round(3).tolist(), strict=True))}", flush=True)
        limits, half = np.array(list(ranges.values())).T, (high - low) / 4
        low, high = np.maximum(best - half, limits[0]), np.minimum(best + half, limits[1])


def nearest(
    measured: pd.DataFrame, names: list[str], target: dict[str, float], low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """The settings within (low, high) for which a linear model of all candidates comes nearest to the targets."""
    scale = high - low
    points = (measured[names].to_numpy() - (low + high) / 2) / scale
    figures = [name for name in target if name in measured]
    misses = np.log(measured[figures].to_numpy() / [target[name] for name in figures]) / TOLERANCE
    weights = np.exp(-(np.abs(points).max(axis=1) - 0.5).clip(0))[:, None]  # less for those out of the range
    inputs = np.column_stack([np.ones(len(points)), points])
    ridge = 0.3 * np.eye(inputs.shape[1])[1:]
    slopes = np.linalg.lstsq(
        np.vstack([inputs * weights, ridge]),
        np.vstack([misses * weights, np.zeros((len(ridge), len(figures)))]),
        rcond=None,
    )[0]
    inside = lsq_linear(
        np.vstack([slopes[1:].T, 0.1 * np.eye(len(names))]),
        np.concatenate([-slopes[0], np.zeros(len(names))]),
        bounds=(-0.5, 0.5),
    ).x
    settings: np.ndarray = (low + high) / 2 + inside * scale
    expected = np.exp((slopes[0] + inside @ slopes[1:]) * TOLERANCE) - 1
    print(
        "expected: " + ", ".join(f"{name} {miss:+.1%}" for name, miss in zip(figures, expected, strict=True))
    )
    return settings


def measure(options: argparse.Namespace) -> None:
    known = options.folder / f"measured-{options.scale or 'default'}.csv"
    run_all(options, [({}, seed) for seed in options.seeds], known)
    measured = pd.read_csv(known)
    print("| row | figure | paper | reached | difference |\n| --- | --- | --- | --- | --- |")
    for name, target in target_of(options.dataset).items():
        if name in measured:
            reached = measured[name].mean()
            row, figure = name.split(" ") if " " in name else ("Table 1", name)
            print(f"| {row} | {figure} | {target:.4g} | {reached:.4g} | {reached / target - 1:+.1%} |")


def run_all(options: argparse.Namespace, candidates: list[tuple[dict[str, float], int]], known: Path) -> None:
    """Measures those candidates that `known` does not have, and adds them."""
    done = set(pd.read_csv(known).seed) if known.exists() else set()
    with ThreadPoolExecutor(options.jobs) as pool:
        waiting = [(settings, seed) for settings, seed in candidates if seed not in done]
        for line in pool.map(lambda candidate: measured(options, *candidate), waiting):
            write_header = not known.exists()
            with known.open("a", newline="") as file:
                writer = csv.DictWriter(file, list(line))
                if write_header:
                    writer.writeheader()
                writer.writerow(line)
            print({name: round(value, 4) for name, value in line.items()}, flush=True)


def measured(options: argparse.Namespace, settings: dict[str, float], seed: int) -> dict[str, float]:
    """The settings and, by 'row metric', what the rows reach on the log of that seed."""
    run = options.folder / f"{options.scale or 'default'}-{seed}"
    line: dict[str, float] = {"seed": seed, **settings}
    for row in options.rows:
        command = [sys.executable, "-m", "prnn_cli", "train", f"experiment={TABLES[options.dataset]}"]
        command += [
            "hydra.mode=RUN",
            f"row={row}",
            f"hydra.run.dir={run / row}",
            f"cache_dir={run / 'cache'}",
        ]
        command += [f"dataset.profile.seed={seed}", "dataset.profile.workers=1"]
        command += [f"dataset.profile.{name}={value}" for name, value in settings.items()]
        command += [f"dataset.scale={options.scale}"] if options.scale else []
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        ran = subprocess.run(command + options.overrides, capture_output=True, text=True, env=environment)
        if ran.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{ran.stderr}")
        metrics = json.loads((run / row / "metrics.json").read_text())
        line |= {f"item_knn {metric}": metrics["baselines"]["item_knn"][metric] for metric in METRICS}
        line |= {f"{row} {metric}": metrics[metric] for metric in METRICS}
        scale = OmegaConf.load(run / row / ".hydra" / "config.yaml").dataset.scale
        line["items"] = metrics["data"]["items"] / scale
    shutil.rmtree(run)
    return line


def target_of(dataset: str) -> dict[str, float]:
    """The paper's values by 'row metric', and the number of items."""
    published = pd.read_csv(str(files("prnn_cli.reporting") / "published.csv"))
    of_table = published[published.table == TABLES[dataset]].set_index("row")
    rows = ["item_knn", *ROWS[dataset]]
    of_rows = {f"{row} {metric}": float(of_table.loc[row, metric]) for row in rows for metric in METRICS}
    return of_rows | {"items": ITEMS[dataset]}


if __name__ == "__main__":
    main()
