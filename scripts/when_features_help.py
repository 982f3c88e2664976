"""When does residual training of a parallel network gain over an ID network? Turns one dial of a log at a time.

    python scripts/when_features_help.py FOLDER

For each value of a dial it draws logs of several seeds, trains the rows `id_only`, `id_only_200` and `parallel_res` of
experiment=table2 on each, and writes the gains to FOLDER/gains.csv and FOLDER/when_features_help.png (needs
matplotlib). Intervals (95 %) are of the mean over the logs, each with its own sessions and its own seed of training;
the standard deviation between logs is pooled over all values of all dials. What is measured already is kept.
"""

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from omegaconf import OmegaConf
from scipy.stats import t

matplotlib.use("Agg")
import matplotlib.pyplot as plt

ROWS = ("id_only", "id_only_200", "parallel_res")
METRICS = ("recall@20", "mrr@20")
CONFIG = Path(__file__).parents[1] / "configs" / "dataset" / "vidxl_like.yaml"
FIRST_SEED = 101  # the logs are none of those of the calibration, nor the one that users get


@dataclass(frozen=True)
class Dial:
    """A setting of the log or of the networks, and the values that it is turned to; None is that of the config."""

    title: str
    axis: str
    option: str
    values: tuple[float | None, ...]


DIALS = {
    "images": Dial(
        "What images tell", "items without an image", "dataset.profile.without_image", (0.0, None, 0.6, 1.0)
    ),
    "lists": Dial(
        "What is there to tell",
        "share of the lists of successors\nthat items of a look have in common",
        "dataset.profile.successors.of_style",
        (0.0, 0.3, 0.6, None),
    ),
    "items": Dial(
        "How often items are clicked",
        "items in the log (at scale 1); clicks stay as many",
        "dataset.profile.num_items",
        (356_412, None, 1_425_648, 2_851_296),
    ),
    "units": Dial("Capacity", "units of a subnet", "units", (25, 50, None, 200)),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dials", nargs="+", default=list(DIALS), choices=list(DIALS))
    parser.add_argument("--logs", type=int, default=3, help="of each value (default: %(default)s)")
    parser.add_argument("--scale", type=float, help="of the logs (default: the data set's own)")
    parser.add_argument("--jobs", type=int, default=2, help="trainings at once, of a thread each")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    known = options.folder / "gains.csv"
    points = dict.fromkeys(
        (name if value is not None else "default", value)
        for name in options.dials
        for value in DIALS[name].values
    )
    run_all(options, list(points), known)
    gains = pd.read_csv(known)
    summary = summarised(gains)
    print(summary.to_string(index=False))
    summary.to_csv(options.folder / "summary.csv", index=False)
    draw(summary, options.dials, options.folder / "when_features_help.png")


def run_all(options: argparse.Namespace, points: list[tuple[str, float | None]], known: Path) -> None:
    done = set()
    if known.exists():
        kept = pd.read_csv(known)
        done = set(zip(kept.dial, kept.value.fillna(-1), kept.log, strict=True))
    waiting = [
        (dial, value, log)
        for log in range(options.logs)
        for dial, value in points
        if (dial, -1 if value is None else value, log) not in done
    ]
    with ThreadPoolExecutor(options.jobs) as pool:
        for line in pool.map(lambda point: measured(options, *point), waiting):
            write_header = not known.exists()
            with known.open("a", newline="") as file:
                writer = csv.DictWriter(file, list(line))
                if write_header:
                    writer.writeheader()
                writer.writerow(line)
            print(line, flush=True)


def measured(options: argparse.Namespace, dial: str, value: float | None, log: int) -> dict[str, Any]:
    """What the rows reach on a log with one dial turned."""
    seed = FIRST_SEED + log
    run = options.folder / f"{dial}-{value}-{log}"
    line: dict[str, Any] = {"dial": dial, "value": value, "log": log}
    settings = [f"seed={seed}", f"dataset.profile.seed={seed}", "dataset.profile.workers=1"]
    settings += [f"dataset.scale={options.scale}"] if options.scale else []
    for row in ROWS:
        command = [sys.executable, "-m", "prnn_cli", "train", "experiment=table2", "hydra.mode=RUN"]
        command += [
            f"row={row}",
            f"hydra.run.dir={run / row}",
            f"cache_dir={run / 'cache'}",
            *settings,
            "resume=true",
        ]
        command += turned(dial, value, row)
        ran = subprocess.run(
            command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
        )
        if ran.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{ran.stderr}")
        metrics = json.loads((run / row / "metrics.json").read_text())
        line |= {f"{row} {metric}": metrics[metric] for metric in METRICS}
    shutil.rmtree(run)
    return line


def turned(dial: str, value: float | None, row: str) -> list[str]:
    """The overrides that turn the dial."""
    if value is None:
        return []
    if dial == "units":
        return [f"units.id={2 * value if row == 'id_only_200' else value}", f"units.each={value}"]
    return [f"{DIALS[dial].option}={value}"]


def summarised(gains: pd.DataFrame) -> pd.DataFrame:
    """The mean gain in percent, and half the width of its interval, by dial, value, metric and ID-only row."""
    lines = []
    for metric in METRICS:
        for opponent in ("id_only", "id_only_200"):
            gain = 100 * (gains[f"parallel_res {metric}"] / gains[f"{opponent} {metric}"] - 1)
            by_point = gain.groupby([gains.dial, gains.value.fillna(-1)])
            freedom = len(gains) - by_point.ngroups
            pooled = np.sqrt(
                by_point.apply(lambda of_point: ((of_point - of_point.mean()) ** 2).sum()).sum() / freedom
            )
            for (dial, value), of_point in by_point:
                half = t.ppf(0.975, freedom) * pooled / np.sqrt(len(of_point))
                lines.append(
                    {"dial": dial, "value": value, "metric": metric, "over": opponent}
                    | {"gain_percent": of_point.mean(), "half_interval": half, "logs": len(of_point)}
                )
    return pd.DataFrame(lines)


def draw(summary: pd.DataFrame, dials: list[str], path: Path) -> None:
    figure, axes = plt.subplots(
        len(METRICS), len(dials), figsize=(3.4 * len(dials), 6), sharey="row", squeeze=False
    )
    for column, name in enumerate(dials):
        dial = DIALS[name]
        for row, metric in enumerate(METRICS):
            axis = axes[row, column]
            for place, (opponent, label) in enumerate(
                {"id_only": "ID only", "id_only_200": "ID only, twice the units"}.items()
            ):
                points = summary[(summary.metric == metric) & (summary.over == opponent)]
                x = range(len(dial.values))
                chosen = [
                    points[
                        (points.dial == ("default" if value is None else name))
                        & (points.value == (-1 if value is None else value))
                    ].iloc[0]
                    for value in dial.values
                ]
                axis.errorbar(
                    [at + 0.06 * (2 * place - 1) for at in x],
                    [point.gain_percent for point in chosen],
                    [point.half_interval for point in chosen],
                    fmt="o-",
                    capsize=3,
                    label=f"over {label}",
                )
            axis.axhline(0, color="black", linewidth=0.8)
            axis.set_xticks(range(len(dial.values)), [shown(name, value) for value in dial.values])
            axis.grid(axis="y", alpha=0.3)
        axes[0, column].set_title(dial.title)
        axes[-1, column].set_xlabel(dial.axis)
    for axis, metric in zip(axes[:, 0], METRICS, strict=True):
        axis.set_ylabel(f"gain in {metric}, %")
    axes[0, 0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def shown(dial: str, value: float | None) -> str:
    """A value on the axis, the config's in parentheses."""
    if value is not None:
        return f"{value:,.0f}" if value > 1 else f"{value:g}"
    config = OmegaConf.load(CONFIG)
    kept = 100 if dial == "units" else OmegaConf.select(config, DIALS[dial].option.removeprefix("dataset."))
    return f"({kept:,})"


if __name__ == "__main__":
    main()
